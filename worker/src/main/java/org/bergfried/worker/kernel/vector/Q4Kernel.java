package org.bergfried.worker.kernel.vector;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
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

/// Rule C for Q4_0: 32 weight rows are lanes.
///
/// A word of a row holds eight nibbles, so its two 16-bit halves hold four columns each: `v = n0 + 16 n1 + 256 n2 +
/// 4096 n3`. Modulo 2^16, `n0 x0 + n1 x1 + n2 x2 + n3 x3 = v x0 + (v >>> 4)(x1 - 16 x0) + (v >>> 8)(x2 - 16 x1) +
/// (v >>> 12)(x3 - 16 x2)`: no masks, and the offset -8 is a constant to begin with. The true sum of 16 columns is at
/// most 16 * 8 * 127 = 16256 in size, so 16 bits hold it exactly whatever overflowed on the way.
///
/// Prepared activations, `[n, columns / 32, 18]` ints: multipliers 4 j + t of word j and shift 4 t (the even half's
/// in
/// the low 16 bits, the odd half's in the high ones), then the offset -8 * sum in the same form, then the bits of dx.
final class Q4Kernel {
    /// Prepared ints of a block of 32 columns.
    static final int STRIDE = 18;

    private Q4Kernel() {}

    /// Prepares one row. `q`: its codes; `xs`: written from `at`.
    static void prepare(byte[] q, float[] dx, int columns, int[] xs, int at) {
        for (int b = 0; b < columns / 32; b++) {
            int to = at + b * STRIDE;
            int evenSum = 0;
            int oddSum = 0;
            for (int j = 0; j < 4; j++) {
                int z = 32 * b + 4 * j;
                evenSum += q[z] + q[z + 16] + q[z + 1] + q[z + 17];
                oddSum += q[z + 2] + q[z + 18] + q[z + 3] + q[z + 19];
                xs[to + 4 * j] = pair(q[z], q[z + 2]);
                xs[to + 4 * j + 1] = pair(q[z + 16] - 16 * q[z], q[z + 18] - 16 * q[z + 2]);
                xs[to + 4 * j + 2] = pair(q[z + 1] - 16 * q[z + 16], q[z + 3] - 16 * q[z + 18]);
                xs[to + 4 * j + 3] = pair(q[z + 17] - 16 * q[z + 1], q[z + 19] - 16 * q[z + 3]);
            }
            xs[to + 16] = pair(-8 * evenSum, -8 * oddSum);
            xs[to + 17] = Float.floatToRawIntBits(dx[b]);
        }
    }

    private static int pair(int even, int odd) {
        return (even & 0xffff) | (odd << 16);
    }

    /// One activation row with 32 weight rows. `tile`: `[blocks]` of Q4_0; `xs`: prepared, from `at`; `y`: `[32]`.
    static void one(MemorySegment tile, int blocks, int[] xs, int at, float[] y) {
        for (int from = 0; from < blocks; from += 8) {
            for (int row = 0; row < TileLayout.ROWS; row += 2 * LANES) {
                FloatVector f0 = FloatVector.zero(F);
                FloatVector f1 = FloatVector.zero(F);
                for (int b = from; b < Math.min(blocks, from + 8); b++) {
                    int p = b * TileLayout.Q4_0_BYTES + 4 * row;
                    int q = at + b * STRIDE;
                    ShortVector a0 = IntVector.broadcast(I, xs[q + 16]).reinterpretAsShorts();
                    ShortVector a1 = a0;
                    for (int j = 0; j < 4; j++) {
                        ShortVector v0 = ShortVector.fromMemorySegment(S, tile, p + 128 * j, LE);
                        ShortVector v1 = ShortVector.fromMemorySegment(S, tile, p + 128 * j + 4 * LANES, LE);
                        ShortVector m = IntVector.broadcast(I, xs[q + 4 * j]).reinterpretAsShorts();
                        a0 = a0.add(v0.mul(m));
                        a1 = a1.add(v1.mul(m));
                        m = IntVector.broadcast(I, xs[q + 4 * j + 1]).reinterpretAsShorts();
                        a0 = a0.add(v0.lanewise(LSHR, 4).mul(m));
                        a1 = a1.add(v1.lanewise(LSHR, 4).mul(m));
                        m = IntVector.broadcast(I, xs[q + 4 * j + 2]).reinterpretAsShorts();
                        a0 = a0.add(v0.lanewise(LSHR, 8).mul(m));
                        a1 = a1.add(v1.lanewise(LSHR, 8).mul(m));
                        m = IntVector.broadcast(I, xs[q + 4 * j + 3]).reinterpretAsShorts();
                        a0 = a0.add(v0.lanewise(LSHR, 12).mul(m));
                        a1 = a1.add(v1.lanewise(LSHR, 12).mul(m));
                    }
                    int scales = b * TileLayout.Q4_0_BYTES + TileLayout.NIBBLE_BYTES + 2 * row;
                    float dx = Float.intBitsToFloat(xs[q + 17]);
                    f0 = ((FloatVector) a0.reinterpretAsInts()
                                    .lanewise(LSHL, 16)
                                    .lanewise(ASHR, 16)
                                    .add(a0.reinterpretAsInts().lanewise(ASHR, 16))
                                    .convertShape(I2F, F, 0))
                            .fma(
                                    ((IntVector) ShortVector.fromMemorySegment(HALF, tile, scales, LE)
                                                    .convertShape(S2I, I, 0))
                                            .lanewise(LSHL, 16)
                                            .lanewise(ASHR, 3)
                                            .and(0x8fffe000)
                                            .reinterpretAsFloats()
                                            .mul(0x1p112f)
                                            .mul(dx),
                                    f0);
                    f1 = ((FloatVector) a1.reinterpretAsInts()
                                    .lanewise(LSHL, 16)
                                    .lanewise(ASHR, 16)
                                    .add(a1.reinterpretAsInts().lanewise(ASHR, 16))
                                    .convertShape(I2F, F, 0))
                            .fma(
                                    ((IntVector) ShortVector.fromMemorySegment(HALF, tile, scales + 2 * LANES, LE)
                                                    .convertShape(S2I, I, 0))
                                            .lanewise(LSHL, 16)
                                            .lanewise(ASHR, 3)
                                            .and(0x8fffe000)
                                            .reinterpretAsFloats()
                                            .mul(0x1p112f)
                                            .mul(dx),
                                    f1);
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

    /// Four activation rows, `stride` prepared ints apart, with 32 weight rows. `work`: as in [Units].
    static void four(MemorySegment tile, int blocks, int[] xs, int at, int stride, float[] work) {
        for (int from = 0; from < blocks; from += 8) {
            int count = Math.min(blocks - from, 8);
            for (int u = 0; u < count; u++) {
                int q = at + (from + u) * STRIDE;
                sums(tile, (from + u) * TileLayout.Q4_0_BYTES, xs, q, stride, work, Units.SUMS + 128 * u);
                for (int c = 0; c < 4; c++) {
                    work[Units.SCALES + 4 * u + c] = Float.intBitsToFloat(xs[q + c * stride + 17]);
                }
                int scales = (from + u) * TileLayout.Q4_0_BYTES + TileLayout.NIBBLE_BYTES;
                Halves.widen(tile, scales, work, Units.WEIGHT_SCALES + TileLayout.ROWS * u);
            }
            Units.addSegment(work, count, from == 0);
        }
    }

    /// The sums of one block from byte `block` of the tile: `[4, 32]` exact integers to `work` from `to`.
    private static void sums(MemorySegment tile, int block, int[] xs, int q0, int stride, float[] work, int to) {
        int q1 = q0 + stride;
        int q2 = q1 + stride;
        int q3 = q2 + stride;
        for (int row = 0; row < TileLayout.ROWS; row += 2 * LANES) {
            int p = block + 4 * row;
            ShortVector a00 = IntVector.broadcast(I, xs[q0 + 16]).reinterpretAsShorts();
            ShortVector a01 = a00;
            ShortVector a10 = IntVector.broadcast(I, xs[q1 + 16]).reinterpretAsShorts();
            ShortVector a11 = a10;
            ShortVector a20 = IntVector.broadcast(I, xs[q2 + 16]).reinterpretAsShorts();
            ShortVector a21 = a20;
            ShortVector a30 = IntVector.broadcast(I, xs[q3 + 16]).reinterpretAsShorts();
            ShortVector a31 = a30;
            for (int j = 0; j < 16; j += 4) {
                ShortVector v0 = ShortVector.fromMemorySegment(S, tile, p + 32 * j, LE);
                ShortVector v1 = ShortVector.fromMemorySegment(S, tile, p + 32 * j + 4 * LANES, LE);
                for (int t = j; t < j + 4; t++) {
                    ShortVector m0 = IntVector.broadcast(I, xs[q0 + t]).reinterpretAsShorts();
                    a00 = a00.add(v0.mul(m0));
                    a01 = a01.add(v1.mul(m0));
                    ShortVector m1 = IntVector.broadcast(I, xs[q1 + t]).reinterpretAsShorts();
                    a10 = a10.add(v0.mul(m1));
                    a11 = a11.add(v1.mul(m1));
                    ShortVector m2 = IntVector.broadcast(I, xs[q2 + t]).reinterpretAsShorts();
                    a20 = a20.add(v0.mul(m2));
                    a21 = a21.add(v1.mul(m2));
                    ShortVector m3 = IntVector.broadcast(I, xs[q3 + t]).reinterpretAsShorts();
                    a30 = a30.add(v0.mul(m3));
                    a31 = a31.add(v1.mul(m3));
                    v0 = v0.lanewise(LSHR, 4);
                    v1 = v1.lanewise(LSHR, 4);
                }
            }
            ((FloatVector) a00.reinterpretAsInts()
                            .lanewise(LSHL, 16)
                            .lanewise(ASHR, 16)
                            .add(a00.reinterpretAsInts().lanewise(ASHR, 16))
                            .convertShape(I2F, F, 0))
                    .intoArray(work, to + row);
            ((FloatVector) a01.reinterpretAsInts()
                            .lanewise(LSHL, 16)
                            .lanewise(ASHR, 16)
                            .add(a01.reinterpretAsInts().lanewise(ASHR, 16))
                            .convertShape(I2F, F, 0))
                    .intoArray(work, to + row + LANES);
            ((FloatVector) a10.reinterpretAsInts()
                            .lanewise(LSHL, 16)
                            .lanewise(ASHR, 16)
                            .add(a10.reinterpretAsInts().lanewise(ASHR, 16))
                            .convertShape(I2F, F, 0))
                    .intoArray(work, to + row + 32);
            ((FloatVector) a11.reinterpretAsInts()
                            .lanewise(LSHL, 16)
                            .lanewise(ASHR, 16)
                            .add(a11.reinterpretAsInts().lanewise(ASHR, 16))
                            .convertShape(I2F, F, 0))
                    .intoArray(work, to + row + 32 + LANES);
            ((FloatVector) a20.reinterpretAsInts()
                            .lanewise(LSHL, 16)
                            .lanewise(ASHR, 16)
                            .add(a20.reinterpretAsInts().lanewise(ASHR, 16))
                            .convertShape(I2F, F, 0))
                    .intoArray(work, to + row + 64);
            ((FloatVector) a21.reinterpretAsInts()
                            .lanewise(LSHL, 16)
                            .lanewise(ASHR, 16)
                            .add(a21.reinterpretAsInts().lanewise(ASHR, 16))
                            .convertShape(I2F, F, 0))
                    .intoArray(work, to + row + 64 + LANES);
            ((FloatVector) a30.reinterpretAsInts()
                            .lanewise(LSHL, 16)
                            .lanewise(ASHR, 16)
                            .add(a30.reinterpretAsInts().lanewise(ASHR, 16))
                            .convertShape(I2F, F, 0))
                    .intoArray(work, to + row + 96);
            ((FloatVector) a31.reinterpretAsInts()
                            .lanewise(LSHL, 16)
                            .lanewise(ASHR, 16)
                            .add(a31.reinterpretAsInts().lanewise(ASHR, 16))
                            .convertShape(I2F, F, 0))
                    .intoArray(work, to + row + 96 + LANES);
        }
    }
}
