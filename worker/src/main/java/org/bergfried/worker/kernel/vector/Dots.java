package org.bergfried.worker.kernel.vector;

import static org.bergfried.worker.kernel.vector.Width.F;
import static org.bergfried.worker.kernel.vector.Width.LANES;
import static org.bergfried.worker.kernel.vector.Width.LE;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;

/// Rule D: dot products of one row with four others, or of four with two, so that enough chains of fma run at a time.
final class Dots {
    /// Floats of working memory: the 16 partial sums that are left of each product after the first halving.
    static final int WORK = 8 * 16;

    // Lane j of `v.rearrange(BY_8)` is lane j + 8: the halvings of the tree that happen inside a vector.
    private static final VectorShuffle<Float> BY_8 = by(8);
    private static final VectorShuffle<Float> BY_4 = by(4);
    private static final VectorShuffle<Float> BY_2 = by(2);
    private static final VectorShuffle<Float> BY_1 = by(1);

    private Dots() {}

    private static VectorShuffle<Float> by(int lanes) {
        return VectorShuffle.fromOp(F, lane -> (lane + lanes) % LANES);
    }

    /// `y[to + r] = a . b[r]` for r = 0..3.
    ///
    /// @param a       floats, a row from `aAt`.
    /// @param b       float32 rows at the bytes `b0` to `b3`; rows may coincide.
    /// @param columns a multiple of 32.
    /// @param work    [#WORK] floats.
    static void four(
            float[] a,
            int aAt,
            MemorySegment b,
            int b0,
            int b1,
            int b2,
            int b3,
            int columns,
            float[] work,
            float[] y,
            int to) {
        for (int j = 0; j < 16; j += LANES) {
            FloatVector low0 = FloatVector.zero(F);
            FloatVector low1 = FloatVector.zero(F);
            FloatVector low2 = FloatVector.zero(F);
            FloatVector low3 = FloatVector.zero(F);
            FloatVector high0 = FloatVector.zero(F);
            FloatVector high1 = FloatVector.zero(F);
            FloatVector high2 = FloatVector.zero(F);
            FloatVector high3 = FloatVector.zero(F);
            for (int k = j; k < columns; k += 32) {
                FloatVector low = FloatVector.fromArray(F, a, aAt + k);
                FloatVector high = FloatVector.fromArray(F, a, aAt + k + 16);
                low0 = FloatVector.fromMemorySegment(F, b, b0 + 4 * k, LE).fma(low, low0);
                high0 = FloatVector.fromMemorySegment(F, b, b0 + 4 * k + 64, LE).fma(high, high0);
                low1 = FloatVector.fromMemorySegment(F, b, b1 + 4 * k, LE).fma(low, low1);
                high1 = FloatVector.fromMemorySegment(F, b, b1 + 4 * k + 64, LE).fma(high, high1);
                low2 = FloatVector.fromMemorySegment(F, b, b2 + 4 * k, LE).fma(low, low2);
                high2 = FloatVector.fromMemorySegment(F, b, b2 + 4 * k + 64, LE).fma(high, high2);
                low3 = FloatVector.fromMemorySegment(F, b, b3 + 4 * k, LE).fma(low, low3);
                high3 = FloatVector.fromMemorySegment(F, b, b3 + 4 * k + 64, LE).fma(high, high3);
            }
            low0.add(high0).intoArray(work, j);
            low1.add(high1).intoArray(work, 16 + j);
            low2.add(high2).intoArray(work, 32 + j);
            low3.add(high3).intoArray(work, 48 + j);
        }
        for (int r = 0; r < 4; r++) {
            y[to + r] = tree16(work, 16 * r);
        }
    }

    /// `y[to + 4 i + r] = a[i] . b[r]` for i = 0..3 and r = 0, 1: for vectors of 512 bits, of which there are enough.
    ///
    /// @param a       rows of `columns` floats, one behind the other, the first from `a0`.
    /// @param b       float32 rows at the bytes `b0` and `b1`; they may coincide.
    /// @param columns a multiple of 32.
    /// @param work    [#WORK] floats.
    static void eight(
            float[] a, int a0, MemorySegment b, int b0, int b1, int columns, float[] work, float[] y, int to) {
        int a1 = a0 + columns;
        int a2 = a1 + columns;
        int a3 = a2 + columns;
        for (int j = 0; j < 16; j += LANES) {
            FloatVector low00 = FloatVector.zero(F);
            FloatVector low01 = FloatVector.zero(F);
            FloatVector low10 = FloatVector.zero(F);
            FloatVector low11 = FloatVector.zero(F);
            FloatVector low20 = FloatVector.zero(F);
            FloatVector low21 = FloatVector.zero(F);
            FloatVector low30 = FloatVector.zero(F);
            FloatVector low31 = FloatVector.zero(F);
            FloatVector high00 = FloatVector.zero(F);
            FloatVector high01 = FloatVector.zero(F);
            FloatVector high10 = FloatVector.zero(F);
            FloatVector high11 = FloatVector.zero(F);
            FloatVector high20 = FloatVector.zero(F);
            FloatVector high21 = FloatVector.zero(F);
            FloatVector high30 = FloatVector.zero(F);
            FloatVector high31 = FloatVector.zero(F);
            for (int k = j; k < columns; k += 32) {
                FloatVector b0Low = FloatVector.fromMemorySegment(F, b, b0 + 4 * k, LE);
                FloatVector b0High = FloatVector.fromMemorySegment(F, b, b0 + 4 * k + 64, LE);
                FloatVector b1Low = FloatVector.fromMemorySegment(F, b, b1 + 4 * k, LE);
                FloatVector b1High = FloatVector.fromMemorySegment(F, b, b1 + 4 * k + 64, LE);
                FloatVector low = FloatVector.fromArray(F, a, a0 + k);
                FloatVector high = FloatVector.fromArray(F, a, a0 + k + 16);
                low00 = low.fma(b0Low, low00);
                high00 = high.fma(b0High, high00);
                low01 = low.fma(b1Low, low01);
                high01 = high.fma(b1High, high01);
                low = FloatVector.fromArray(F, a, a1 + k);
                high = FloatVector.fromArray(F, a, a1 + k + 16);
                low10 = low.fma(b0Low, low10);
                high10 = high.fma(b0High, high10);
                low11 = low.fma(b1Low, low11);
                high11 = high.fma(b1High, high11);
                low = FloatVector.fromArray(F, a, a2 + k);
                high = FloatVector.fromArray(F, a, a2 + k + 16);
                low20 = low.fma(b0Low, low20);
                high20 = high.fma(b0High, high20);
                low21 = low.fma(b1Low, low21);
                high21 = high.fma(b1High, high21);
                low = FloatVector.fromArray(F, a, a3 + k);
                high = FloatVector.fromArray(F, a, a3 + k + 16);
                low30 = low.fma(b0Low, low30);
                high30 = high.fma(b0High, high30);
                low31 = low.fma(b1Low, low31);
                high31 = high.fma(b1High, high31);
            }
            low00.add(high00).intoArray(work, j);
            low01.add(high01).intoArray(work, 16 + j);
            low10.add(high10).intoArray(work, 32 + j);
            low11.add(high11).intoArray(work, 48 + j);
            low20.add(high20).intoArray(work, 64 + j);
            low21.add(high21).intoArray(work, 80 + j);
            low30.add(high30).intoArray(work, 96 + j);
            low31.add(high31).intoArray(work, 112 + j);
        }
        for (int p = 0; p < 8; p++) {
            y[to + 4 * (p / 2) + p % 2] = tree16(work, 16 * p);
        }
    }

    /// The rest of the tree of rule D over 16 sums from `at`, which it may overwrite.
    static float tree16(float[] s, int at) {
        for (int h = 8; h >= LANES; h /= 2) {
            for (int j = at; j < at + h; j += LANES) {
                FloatVector.fromArray(F, s, j)
                        .add(FloatVector.fromArray(F, s, j + h))
                        .intoArray(s, j);
            }
        }
        FloatVector v = FloatVector.fromArray(F, s, at);
        if (LANES > 8) {
            v = v.add(v.rearrange(BY_8));
        }
        if (LANES > 4) {
            v = v.add(v.rearrange(BY_4));
        }
        v = v.add(v.rearrange(BY_2));
        return v.lane(0) + v.rearrange(BY_1).lane(0);
    }

    /// The sum of squares of a row (rule E, RMSNorm). `x`: from `at`, `columns` a multiple of 32; `work`: 16 floats.
    static float squares(float[] x, int at, int columns, float[] work) {
        for (int j = 0; j < 16; j += LANES) {
            FloatVector low = FloatVector.zero(F);
            FloatVector high = FloatVector.zero(F);
            for (int k = at + j; k < at + columns; k += 32) {
                FloatVector v0 = FloatVector.fromArray(F, x, k);
                FloatVector v1 = FloatVector.fromArray(F, x, k + 16);
                low = v0.fma(v0, low);
                high = v1.fma(v1, high);
            }
            low.add(high).intoArray(work, j);
        }
        return tree16(work, 0);
    }
}
