package org.bergfried.worker.kernel.vector;

import static org.bergfried.worker.kernel.cpu.HostBuffer.F32;
import static org.bergfried.worker.kernel.vector.Width.F;
import static org.bergfried.worker.kernel.vector.Width.LANES;
import static org.bergfried.worker.kernel.vector.Width.LE;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;

/// RoPE (rule E) of one head: `y0 = fma(x0, c, -(x1 * s))`, `y1 = fma(x1, c, x0 * s)`.
///
/// The rows of the table hold cosine and sine of a pair side by side.
final class Rotation {
    private static final VectorShuffle<Float> SWAPPED = VectorShuffle.fromOp(F, lane -> lane ^ 1);
    private static final VectorShuffle<Float> COSINES = VectorShuffle.fromOp(F, lane -> lane & ~1);
    private static final VectorShuffle<Float> SINES = VectorShuffle.fromOp(F, lane -> lane | 1);
    // Of two vectors, one after the other: every second lane.
    private static final VectorShuffle<Float> EVEN = VectorShuffle.fromOp(F, lane -> 2 * lane);
    private static final VectorShuffle<Float> ODD = VectorShuffle.fromOp(F, lane -> 2 * lane + 1);
    private static final float[] SIGNS = signs();

    private Rotation() {}

    private static float[] signs() {
        var signs = new float[LANES];
        for (int lane = 0; lane < LANES; lane++) {
            signs[lane] = lane % 2 == 0 ? -1 : 1;
        }
        return signs;
    }

    /// Turns the pairs (2i, 2i+1).
    ///
    /// @param row   floats; the head begins at byte `at`.
    /// @param turns cosines and sines, float32 `[half, 2]`.
    /// @param half  pairs of a head.
    static void neighbours(MemorySegment row, int at, MemorySegment turns, int half) {
        int k = 0;
        for (; k <= 2 * half - LANES; k += LANES) {
            FloatVector x = FloatVector.fromMemorySegment(F, row, at + 4 * k, LE);
            FloatVector turn = FloatVector.fromMemorySegment(F, turns, 4L * k, LE);
            FloatVector crossed =
                    x.rearrange(SWAPPED).mul(turn.rearrange(SINES)).mul(FloatVector.fromArray(F, SIGNS, 0));
            x.fma(turn.rearrange(COSINES), crossed).intoMemorySegment(row, at + 4 * k, LE);
        }
        for (int i = k / 2; i < half; i++) {
            turn(row, at + 8 * i, at + 8 * i + 4, turns, i);
        }
    }

    /// Turns the pairs (i, i + half), likewise.
    static void halves(MemorySegment row, int at, MemorySegment turns, int half) {
        int i = 0;
        for (; i <= half - LANES; i += LANES) {
            FloatVector first = FloatVector.fromMemorySegment(F, turns, 8L * i, LE);
            FloatVector second = FloatVector.fromMemorySegment(F, turns, 8 * i + 4 * LANES, LE);
            FloatVector c = first.rearrange(EVEN, second);
            FloatVector s = first.rearrange(ODD, second);
            FloatVector x0 = FloatVector.fromMemorySegment(F, row, at + 4 * i, LE);
            FloatVector x1 = FloatVector.fromMemorySegment(F, row, at + 4 * (i + half), LE);
            x0.fma(c, x1.mul(s).neg()).intoMemorySegment(row, at + 4 * i, LE);
            x1.fma(c, x0.mul(s)).intoMemorySegment(row, at + 4 * (i + half), LE);
        }
        for (; i < half; i++) {
            turn(row, at + 4 * i, at + 4 * (i + half), turns, i);
        }
    }

    private static void turn(MemorySegment row, int at0, int at1, MemorySegment turns, int pair) {
        float c = turns.get(F32, 8L * pair);
        float s = turns.get(F32, 8L * pair + 4);
        float x0 = row.get(F32, at0);
        float x1 = row.get(F32, at1);
        row.set(F32, at0, Math.fma(x0, c, -(x1 * s)));
        row.set(F32, at1, Math.fma(x1, c, x0 * s));
    }
}
