package org.bergfried.worker.kernel.vector;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.S2I;
import static org.bergfried.worker.kernel.vector.Width.F;
import static org.bergfried.worker.kernel.vector.Width.HALF;
import static org.bergfried.worker.kernel.vector.Width.I;
import static org.bergfried.worker.kernel.vector.Width.LANES;
import static org.bergfried.worker.kernel.vector.Width.LE;
import static org.bergfried.worker.kernel.vector.Width.S;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import org.bergfried.worker.kernel.cpu.TileLayout;

/// Rule C for Q8_0: 32 weight rows are lanes, a word of a row holds four columns.
///
/// For one activation row, products of two columns are added in 16 bits (at most 2 * 128 * 127 = 32512 in size) and
/// widened. For four rows, weights are decoded once to float lanes, in which the integer sums are exact: less work a
/// row, since widening is then paid once and not by every row.
///
/// Prepared activations: `[n, columns / 32, 17]` ints, for word j the pairs (x0, x2) at 2 j and (x1, x3) at 2 j + 1,
/// the first in the low 16 bits, then the bits of dx; and `[n, columns]` floats, the codes.
final class Q8Kernel {
    /// Prepared ints of a block of 32 columns.
    static final int STRIDE = 17;

    private Q8Kernel() {}

    /// Prepares one row. `q`: its codes; `xs`: written from `at`; `xf`: written from `floatsAt`.
    static void prepare(byte[] q, float[] dx, int columns, int[] xs, int at, float[] xf, int floatsAt) {
        for (int b = 0; b < columns / 32; b++) {
            int to = at + b * STRIDE;
            for (int j = 0; j < 8; j++) {
                int z = 32 * b + 4 * j;
                xs[to + 2 * j] = (q[z] & 0xffff) | (q[z + 2] << 16);
                xs[to + 2 * j + 1] = (q[z + 1] & 0xffff) | (q[z + 3] << 16);
            }
            xs[to + 16] = Float.floatToRawIntBits(dx[b]);
        }
        for (int k = 0; k < columns; k++) {
            xf[floatsAt + k] = q[k];
        }
    }

    /// One activation row with 32 weight rows. `tile`: `[blocks]` of Q8_0; `xs`: prepared, from `at`; `y`: `[32]`.
    static void one(MemorySegment tile, int blocks, int[] xs, int at, float[] y) {
        for (int from = 0; from < blocks; from += 8) {
            for (int row = 0; row < TileLayout.ROWS; row += 2 * LANES) {
                FloatVector f0 = FloatVector.zero(F);
                FloatVector f1 = FloatVector.zero(F);
                for (int b = from; b < Math.min(blocks, from + 8); b++) {
                    int p = b * TileLayout.Q8_0_BYTES + 4 * row;
                    int q = at + b * STRIDE;
                    IntVector a0 = IntVector.zero(I);
                    IntVector a1 = IntVector.zero(I);
                    for (int j = 0; j < 8; j++) {
                        ShortVector v0 = ShortVector.fromMemorySegment(S, tile, p + 128 * j, LE);
                        ShortVector v1 = ShortVector.fromMemorySegment(S, tile, p + 128 * j + 4 * LANES, LE);
                        ShortVector m = IntVector.broadcast(I, xs[q + 2 * j]).reinterpretAsShorts();
                        ShortVector n =
                                IntVector.broadcast(I, xs[q + 2 * j + 1]).reinterpretAsShorts();
                        IntVector z0 = v0.lanewise(LSHL, 8)
                                .lanewise(ASHR, 8)
                                .mul(m)
                                .add(v0.lanewise(ASHR, 8).mul(n))
                                .reinterpretAsInts();
                        a0 = a0.add(z0.lanewise(ASHR, 16))
                                .add(z0.lanewise(LSHL, 16).lanewise(ASHR, 16));
                        IntVector z1 = v1.lanewise(LSHL, 8)
                                .lanewise(ASHR, 8)
                                .mul(m)
                                .add(v1.lanewise(ASHR, 8).mul(n))
                                .reinterpretAsInts();
                        a1 = a1.add(z1.lanewise(ASHR, 16))
                                .add(z1.lanewise(LSHL, 16).lanewise(ASHR, 16));
                    }
                    int scales = b * TileLayout.Q8_0_BYTES + 1024 + 2 * row;
                    float dx = Float.intBitsToFloat(xs[q + 16]);
                    FloatVector s0 = ((IntVector) ShortVector.fromMemorySegment(HALF, tile, scales, LE)
                                    .convertShape(S2I, I, 0))
                            .lanewise(LSHL, 16)
                            .lanewise(ASHR, 3)
                            .and(0x8fffe000)
                            .reinterpretAsFloats()
                            .mul(0x1p112f);
                    f0 = ((FloatVector) a0.convertShape(I2F, F, 0)).fma(s0.mul(dx), f0);
                    FloatVector s1 = ((IntVector) ShortVector.fromMemorySegment(HALF, tile, scales + 2 * LANES, LE)
                                    .convertShape(S2I, I, 0))
                            .lanewise(LSHL, 16)
                            .lanewise(ASHR, 3)
                            .and(0x8fffe000)
                            .reinterpretAsFloats()
                            .mul(0x1p112f);
                    f1 = ((FloatVector) a1.convertShape(I2F, F, 0)).fma(s1.mul(dx), f1);
                }
                if (from == 0) {
                    f0.intoArray(y, row);
                    f1.intoArray(y, row + LANES);
                } else {
                    FloatVector.fromArray(F, y, row).add(f0).intoArray(y, row);
                    FloatVector.fromArray(F, y, row + LANES).add(f1).intoArray(y, row + LANES);
                }
            }
        }
    }

    /// Four activation rows with 32 weight rows. `xs`, `xf`: prepared, from `at` and `floatsAt`; `work`: as in
    /// [Units].
    static void four(MemorySegment tile, int blocks, int[] xs, int at, float[] xf, int floatsAt, float[] work) {
        for (int from = 0; from < blocks; from += 8) {
            int count = Math.min(blocks - from, 8);
            for (int u = 0; u < count; u++) {
                int block = (from + u) * TileLayout.Q8_0_BYTES;
                sums(tile, block, xf, floatsAt + 32 * (from + u), 32 * blocks, work, Units.SUMS + 128 * u);
                for (int c = 0; c < 4; c++) {
                    int dx = xs[at + (c * blocks + from + u) * STRIDE + 16];
                    work[Units.SCALES + 4 * u + c] = Float.intBitsToFloat(dx);
                }
                Halves.widen(tile, block + 1024, work, Units.WEIGHT_SCALES + TileLayout.ROWS * u);
            }
            Units.addSegment(work, count, from == 0);
        }
    }

    /// The sums of one block from byte `block` of the tile with the codes from `x0`, rows `columns` apart: `[4, 32]`
    /// exact integers to `work` from `to`.
    private static void sums(MemorySegment tile, int block, float[] xf, int x0, int columns, float[] work, int to) {
        int x1 = x0 + columns;
        int x2 = x1 + columns;
        int x3 = x2 + columns;
        for (int row = 0; row < TileLayout.ROWS; row += 2 * LANES) {
            int p = block + 4 * row;
            FloatVector a00 = FloatVector.zero(F);
            FloatVector a01 = FloatVector.zero(F);
            FloatVector a10 = FloatVector.zero(F);
            FloatVector a11 = FloatVector.zero(F);
            FloatVector a20 = FloatVector.zero(F);
            FloatVector a21 = FloatVector.zero(F);
            FloatVector a30 = FloatVector.zero(F);
            FloatVector a31 = FloatVector.zero(F);
            for (int j = 0; j < 32; j += 4) {
                IntVector v0 = IntVector.fromMemorySegment(I, tile, p + 32 * j, LE);
                IntVector v1 = IntVector.fromMemorySegment(I, tile, p + 32 * j + 4 * LANES, LE);
                for (int k = j; k < j + 4; k++) {
                    FloatVector w0 = (FloatVector)
                            v0.lanewise(LSHL, 24).lanewise(ASHR, 24).convertShape(I2F, F, 0);
                    FloatVector w1 = (FloatVector)
                            v1.lanewise(LSHL, 24).lanewise(ASHR, 24).convertShape(I2F, F, 0);
                    FloatVector m0 = FloatVector.broadcast(F, xf[x0 + k]);
                    a00 = w0.fma(m0, a00);
                    a01 = w1.fma(m0, a01);
                    FloatVector m1 = FloatVector.broadcast(F, xf[x1 + k]);
                    a10 = w0.fma(m1, a10);
                    a11 = w1.fma(m1, a11);
                    FloatVector m2 = FloatVector.broadcast(F, xf[x2 + k]);
                    a20 = w0.fma(m2, a20);
                    a21 = w1.fma(m2, a21);
                    FloatVector m3 = FloatVector.broadcast(F, xf[x3 + k]);
                    a30 = w0.fma(m3, a30);
                    a31 = w1.fma(m3, a31);
                    v0 = v0.lanewise(ASHR, 8);
                    v1 = v1.lanewise(ASHR, 8);
                }
            }
            a00.intoArray(work, to + row);
            a01.intoArray(work, to + row + LANES);
            a10.intoArray(work, to + row + 32);
            a11.intoArray(work, to + row + 32 + LANES);
            a20.intoArray(work, to + row + 64);
            a21.intoArray(work, to + row + 64 + LANES);
            a30.intoArray(work, to + row + 96);
            a31.intoArray(work, to + row + 96 + LANES);
        }
    }
}
