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
                if (from > 0) {
                    f0 = FloatVector.fromArray(F, y, row).add(f0);
                    f1 = FloatVector.fromArray(F, y, row + LANES).add(f1);
                }
                f0.intoArray(y, row);
                f1.intoArray(y, row + LANES);
            }
        }
    }

    /// Four activation rows with 32 weight rows. `xs`, `xf`: prepared, from `at` and `floatsAt`; `y`: `[4, 32]`.
    static void four(MemorySegment tile, int blocks, int[] xs, int at, float[] xf, int floatsAt, float[] y) {
        int columns = 32 * blocks;
        int stride = STRIDE * blocks;
        for (int from = 0; from < blocks; from += 8) {
            for (int row = 0; row < TileLayout.ROWS; row += 2 * LANES) {
                FloatVector f00 = FloatVector.zero(F);
                FloatVector f01 = FloatVector.zero(F);
                FloatVector f10 = FloatVector.zero(F);
                FloatVector f11 = FloatVector.zero(F);
                FloatVector f20 = FloatVector.zero(F);
                FloatVector f21 = FloatVector.zero(F);
                FloatVector f30 = FloatVector.zero(F);
                FloatVector f31 = FloatVector.zero(F);
                for (int b = from; b < Math.min(blocks, from + 8); b++) {
                    int p = b * TileLayout.Q8_0_BYTES + 4 * row;
                    int x0 = floatsAt + 32 * b;
                    int x1 = x0 + columns;
                    int x2 = x1 + columns;
                    int x3 = x2 + columns;
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
                    int scales = b * TileLayout.Q8_0_BYTES + 1024 + 2 * row;
                    FloatVector s0 = ((IntVector) ShortVector.fromMemorySegment(HALF, tile, scales, LE)
                                    .convertShape(S2I, I, 0))
                            .lanewise(LSHL, 16)
                            .lanewise(ASHR, 3)
                            .and(0x8fffe000)
                            .reinterpretAsFloats()
                            .mul(0x1p112f);
                    FloatVector s1 = ((IntVector) ShortVector.fromMemorySegment(HALF, tile, scales + 2 * LANES, LE)
                                    .convertShape(S2I, I, 0))
                            .lanewise(LSHL, 16)
                            .lanewise(ASHR, 3)
                            .and(0x8fffe000)
                            .reinterpretAsFloats()
                            .mul(0x1p112f);
                    float d0 = Float.intBitsToFloat(xs[at + 0 * stride + b * STRIDE + 16]);
                    f00 = a00.fma(s0.mul(d0), f00);
                    f01 = a01.fma(s1.mul(d0), f01);
                    float d1 = Float.intBitsToFloat(xs[at + 1 * stride + b * STRIDE + 16]);
                    f10 = a10.fma(s0.mul(d1), f10);
                    f11 = a11.fma(s1.mul(d1), f11);
                    float d2 = Float.intBitsToFloat(xs[at + 2 * stride + b * STRIDE + 16]);
                    f20 = a20.fma(s0.mul(d2), f20);
                    f21 = a21.fma(s1.mul(d2), f21);
                    float d3 = Float.intBitsToFloat(xs[at + 3 * stride + b * STRIDE + 16]);
                    f30 = a30.fma(s0.mul(d3), f30);
                    f31 = a31.fma(s1.mul(d3), f31);
                }
                if (from > 0) {
                    f00 = FloatVector.fromArray(F, y, row).add(f00);
                    f01 = FloatVector.fromArray(F, y, row + LANES).add(f01);
                    f10 = FloatVector.fromArray(F, y, row + 32).add(f10);
                    f11 = FloatVector.fromArray(F, y, row + 32 + LANES).add(f11);
                    f20 = FloatVector.fromArray(F, y, row + 64).add(f20);
                    f21 = FloatVector.fromArray(F, y, row + 64 + LANES).add(f21);
                    f30 = FloatVector.fromArray(F, y, row + 96).add(f30);
                    f31 = FloatVector.fromArray(F, y, row + 96 + LANES).add(f31);
                }
                f00.intoArray(y, row);
                f01.intoArray(y, row + LANES);
                f10.intoArray(y, row + 32);
                f11.intoArray(y, row + 32 + LANES);
                f20.intoArray(y, row + 64);
                f21.intoArray(y, row + 64 + LANES);
                f30.intoArray(y, row + 96);
                f31.intoArray(y, row + 96 + LANES);
            }
        }
    }
}
