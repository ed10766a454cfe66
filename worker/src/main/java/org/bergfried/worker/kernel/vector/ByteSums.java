package org.bergfried.worker.kernel.vector;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static org.bergfried.worker.kernel.vector.Width.F;
import static org.bergfried.worker.kernel.vector.Width.I;
import static org.bergfried.worker.kernel.vector.Width.LANES;
import static org.bergfried.worker.kernel.vector.Width.LE;
import static org.bergfried.worker.kernel.vector.Width.S;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import org.bergfried.worker.kernel.cpu.TileLayout;

/// The exact sums of products of whole bytes, 32 rows of up to 32 columns, laid out as the plane "bytes" of
/// [TileLayout], as in [Q8Kernel].
final class ByteSums {
    private ByteSums() {}

    /// One activation row. `words`: how many words (of four columns) from `word`; `xs`: prepared by [GroupKernel],
    /// from `at`; `[32]` sums to `work` from `to`.
    static void one(MemorySegment bytes, int word, int words, int[] xs, int at, float[] work, int to) {
        for (int row = 0; row < TileLayout.ROWS; row += LANES) {
            IntVector sum = IntVector.zero(I);
            for (int j = word; j < word + words; j++) {
                ShortVector v = ShortVector.fromMemorySegment(S, bytes, 128 * j + 4 * row, LE);
                ShortVector even = IntVector.broadcast(I, xs[at + 2 * j]).reinterpretAsShorts();
                ShortVector odd = IntVector.broadcast(I, xs[at + 2 * j + 1]).reinterpretAsShorts();
                IntVector pairs = v.lanewise(LSHL, 8)
                        .lanewise(ASHR, 8)
                        .mul(even)
                        .add(v.lanewise(ASHR, 8).mul(odd))
                        .reinterpretAsInts();
                sum = sum.add(pairs.lanewise(ASHR, 16))
                        .add(pairs.lanewise(LSHL, 16).lanewise(ASHR, 16));
            }
            ((FloatVector) sum.convertShape(I2F, F, 0)).intoArray(work, to + row);
        }
    }

    /// Four activation rows, whose codes begin at `x0` and `columns` apart; `[4, 32]` sums to `work` from `to`.
    static void four(MemorySegment bytes, int word, int words, float[] xf, int x0, int columns, float[] work, int to) {
        int x1 = x0 + columns;
        int x2 = x1 + columns;
        int x3 = x2 + columns;
        for (int row = 0; row < TileLayout.ROWS; row += LANES) {
            FloatVector a0 = FloatVector.zero(F);
            FloatVector a1 = FloatVector.zero(F);
            FloatVector a2 = FloatVector.zero(F);
            FloatVector a3 = FloatVector.zero(F);
            for (int j = word; j < word + words; j++) {
                IntVector v = IntVector.fromMemorySegment(I, bytes, 128 * j + 4 * row, LE);
                for (int k = 4 * j; k < 4 * j + 4; k++) {
                    FloatVector w = (FloatVector)
                            v.lanewise(LSHL, 24).lanewise(ASHR, 24).convertShape(I2F, F, 0);
                    a0 = w.fma(FloatVector.broadcast(F, xf[x0 + k]), a0);
                    a1 = w.fma(FloatVector.broadcast(F, xf[x1 + k]), a1);
                    a2 = w.fma(FloatVector.broadcast(F, xf[x2 + k]), a2);
                    a3 = w.fma(FloatVector.broadcast(F, xf[x3 + k]), a3);
                    v = v.lanewise(ASHR, 8);
                }
            }
            a0.intoArray(work, to + row);
            a1.intoArray(work, to + row + 32);
            a2.intoArray(work, to + row + 64);
            a3.intoArray(work, to + row + 96);
        }
    }
}
