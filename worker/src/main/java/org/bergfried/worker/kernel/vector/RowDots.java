package org.bergfried.worker.kernel.vector;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.S2I;
import static org.bergfried.worker.kernel.vector.Width.F;
import static org.bergfried.worker.kernel.vector.Width.HALF;
import static org.bergfried.worker.kernel.vector.Width.I;
import static org.bergfried.worker.kernel.vector.Width.LANES;
import static org.bergfried.worker.kernel.vector.Width.LE;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/// Rule D of one activation row with weight rows, one after the other: the weights are then a single stream, which
/// memory delivers fastest. Several rows at a time would be several streams.
///
/// In each method `rows` holds `count` rows of `columns` weights, `columns` is a multiple of 32, `x` has as many
/// floats,
/// `work` is 16 floats, and `y[r]` becomes the dot product of row r.
final class RowDots {
    private RowDots() {}

    /// Weights of binary32.
    static void f32(MemorySegment rows, int count, int columns, float[] x, float[] work, float[] y) {
        for (int r = 0; r < count; r++) {
            int at = 4 * r * columns;
            for (int j = 0; j < 16; j += LANES) {
                FloatVector low = FloatVector.zero(F);
                FloatVector high = FloatVector.zero(F);
                for (int k = j; k < columns; k += 32) {
                    low = FloatVector.fromMemorySegment(F, rows, at + 4 * k, LE)
                            .fma(FloatVector.fromArray(F, x, k), low);
                    high = FloatVector.fromMemorySegment(F, rows, at + 4 * k + 64, LE)
                            .fma(FloatVector.fromArray(F, x, k + 16), high);
                }
                low.add(high).intoArray(work, j);
            }
            y[r] = Dots.tree16(work, 0);
        }
    }

    /// Weights of bfloat16, widened on the way: their bits are the upper half of a binary32.
    static void bf16(MemorySegment rows, int count, int columns, float[] x, float[] work, float[] y) {
        for (int r = 0; r < count; r++) {
            int at = 2 * r * columns;
            for (int j = 0; j < 16; j += LANES) {
                FloatVector low = FloatVector.zero(F);
                FloatVector high = FloatVector.zero(F);
                for (int k = j; k < columns; k += 32) {
                    low = ((IntVector) ShortVector.fromMemorySegment(HALF, rows, at + 2 * k, LE)
                                    .convertShape(S2I, I, 0))
                            .lanewise(LSHL, 16)
                            .reinterpretAsFloats()
                            .fma(FloatVector.fromArray(F, x, k), low);
                    high = ((IntVector) ShortVector.fromMemorySegment(HALF, rows, at + 2 * k + 32, LE)
                                    .convertShape(S2I, I, 0))
                            .lanewise(LSHL, 16)
                            .reinterpretAsFloats()
                            .fma(FloatVector.fromArray(F, x, k + 16), high);
                }
                low.add(high).intoArray(work, j);
            }
            y[r] = Dots.tree16(work, 0);
        }
    }

    /// Weights of binary16, widened on the way as in [FloatRows#widenF16].
    static void f16(MemorySegment rows, int count, int columns, float[] x, float[] work, float[] y) {
        for (int r = 0; r < count; r++) {
            int at = 2 * r * columns;
            for (int j = 0; j < 16; j += LANES) {
                FloatVector low = FloatVector.zero(F);
                FloatVector high = FloatVector.zero(F);
                for (int k = j; k < columns; k += 32) {
                    low = ((IntVector) ShortVector.fromMemorySegment(HALF, rows, at + 2 * k, LE)
                                    .convertShape(S2I, I, 0))
                            .lanewise(LSHL, 16)
                            .lanewise(ASHR, 3)
                            .and(0x8fffe000)
                            .reinterpretAsFloats()
                            .mul(0x1p112f)
                            .fma(FloatVector.fromArray(F, x, k), low);
                    high = ((IntVector) ShortVector.fromMemorySegment(HALF, rows, at + 2 * k + 32, LE)
                                    .convertShape(S2I, I, 0))
                            .lanewise(LSHL, 16)
                            .lanewise(ASHR, 3)
                            .and(0x8fffe000)
                            .reinterpretAsFloats()
                            .mul(0x1p112f)
                            .fma(FloatVector.fromArray(F, x, k + 16), high);
                }
                low.add(high).intoArray(work, j);
            }
            y[r] = Dots.tree16(work, 0);
        }
    }
}
