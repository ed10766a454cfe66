package org.bergfried.worker.kernel.vector;

import static org.bergfried.worker.kernel.vector.Width.F;
import static org.bergfried.worker.kernel.vector.Width.LANES;
import static org.bergfried.worker.kernel.vector.Width.LE;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;

/// Rule D: dot products of one row with four others, so that eight chains of fma run at a time.
final class Dots {
    /// Floats of working memory of [#four]: the 16 partial sums that are left of each product after the first halving.
    static final int WORK = 64;

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
