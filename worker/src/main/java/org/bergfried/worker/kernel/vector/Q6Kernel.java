package org.bergfried.worker.kernel.vector;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.B2F;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.S2I;
import static org.bergfried.worker.kernel.vector.Width.B;
import static org.bergfried.worker.kernel.vector.Width.F;
import static org.bergfried.worker.kernel.vector.Width.HALF;
import static org.bergfried.worker.kernel.vector.Width.I;
import static org.bergfried.worker.kernel.vector.Width.LANES;
import static org.bergfried.worker.kernel.vector.Width.LE;
import static org.bergfried.worker.kernel.vector.Width.S;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import org.bergfried.worker.kernel.cpu.TileLayout;

/// Rule C for Q6_K: 32 weight rows are lanes, a unit is 16 columns.
///
/// A 16-bit half of a word has two columns of either unit: its low nibbles belong to the first one, its high nibbles
/// to the second one, and their upper two bits stand in the unit's own two-bit word. Put together they are `u = n0 +
/// 256 n1`, and modulo 2^16 `n0 x0 + n1 x1 = u x0 + (u >>> 8)(x1 - 256 x0)`. The offset -32 is a constant to begin
/// with. The true sum of a lane's 8 columns is at most 8 * 32 * 127 = 32512 in size, so 16 bits hold it exactly.
///
/// Prepared activations, `[n, columns / 32, 19]` ints: for unit h and word j the two multipliers at 8 h + 2 j (the
/// even
/// half's in the low 16 bits, the odd half's in the high ones), then the two units' offsets -32 * sum in the same
/// form,
/// then the bits of dx.
final class Q6Kernel {
    /// Prepared ints of 32 columns.
    static final int STRIDE = 19;

    private Q6Kernel() {}

    /// Prepares one row. `q`: its codes; `xs`: written from `at`.
    static void prepare(byte[] q, float[] dx, int columns, int[] xs, int at) {
        for (int b = 0; b < columns / 32; b++) {
            int to = at + b * STRIDE;
            for (int unit = 0; unit < 2; unit++) {
                int evenSum = 0;
                int oddSum = 0;
                for (int j = 0; j < 4; j++) {
                    int z = 32 * b + 16 * unit + 4 * j;
                    evenSum += q[z] + q[z + 1];
                    oddSum += q[z + 2] + q[z + 3];
                    xs[to + 8 * unit + 2 * j] = pair(q[z], q[z + 2]);
                    xs[to + 8 * unit + 2 * j + 1] = pair(q[z + 1] - 256 * q[z], q[z + 3] - 256 * q[z + 2]);
                }
                xs[to + 16 + unit] = pair(-32 * evenSum, -32 * oddSum);
            }
            xs[to + 18] = Float.floatToRawIntBits(dx[b]);
        }
    }

    private static int pair(int even, int odd) {
        return (even & 0xffff) | (odd << 16);
    }

    /// One activation row with 32 weight rows. `tile`: Q6_K blocks of `groups` times 32 columns; `xs`: prepared, from
    /// `at`; `y`: `[32]`.
    static void one(MemorySegment tile, int groups, int[] xs, int at, float[] y) {
        for (int from = 0; from < groups; from += 8) {
            int block = from / 8 * TileLayout.Q6_K_BYTES;
            for (int row = 0; row < TileLayout.ROWS; row += LANES) {
                FloatVector f = FloatVector.zero(F);
                FloatVector d = ((IntVector) ShortVector.fromMemorySegment(HALF, tile, block + 2 * row, LE)
                                .convertShape(S2I, I, 0))
                        .lanewise(LSHL, 16)
                        .lanewise(ASHR, 3)
                        .and(0x8fffe000)
                        .reinterpretAsFloats()
                        .mul(0x1p112f);
                for (int b = from; b < from + 8; b++) {
                    int p = block + 64 + (b - from) * TileLayout.Q6_K_GROUP_BYTES;
                    int q = at + b * STRIDE;
                    ShortVector a0 = IntVector.broadcast(I, xs[q + 16]).reinterpretAsShorts();
                    ShortVector a1 = IntVector.broadcast(I, xs[q + 17]).reinterpretAsShorts();
                    ShortVector high0 = ShortVector.fromMemorySegment(S, tile, p + 512 + 4 * row, LE);
                    ShortVector high1 = ShortVector.fromMemorySegment(S, tile, p + 640 + 4 * row, LE);
                    for (int j = 0; j < 4; j++) {
                        ShortVector v = ShortVector.fromMemorySegment(S, tile, p + 128 * j + 4 * row, LE);
                        ShortVector u0 = v.and((short) 0x0f0f)
                                .or(high0.and((short) 0x0303).lanewise(LSHL, 4));
                        ShortVector u1 = v.lanewise(LSHR, 4)
                                .and((short) 0x0f0f)
                                .or(high1.and((short) 0x0303).lanewise(LSHL, 4));
                        high0 = high0.lanewise(LSHR, 2);
                        high1 = high1.lanewise(LSHR, 2);
                        ShortVector m = IntVector.broadcast(I, xs[q + 2 * j]).reinterpretAsShorts();
                        ShortVector n =
                                IntVector.broadcast(I, xs[q + 2 * j + 1]).reinterpretAsShorts();
                        a0 = a0.add(u0.mul(m)).add(u0.lanewise(LSHR, 8).mul(n));
                        m = IntVector.broadcast(I, xs[q + 8 + 2 * j]).reinterpretAsShorts();
                        n = IntVector.broadcast(I, xs[q + 9 + 2 * j]).reinterpretAsShorts();
                        a1 = a1.add(u1.mul(m)).add(u1.lanewise(LSHR, 8).mul(n));
                    }
                    float dx = Float.intBitsToFloat(xs[q + 18]);
                    int byteRow = LANES == 4 ? row / 8 * 8 : row; // eight bytes are the least that a vector holds
                    int part = LANES == 4 ? row % 8 / 4 : 0;
                    FloatVector s0 = (FloatVector) ByteVector.fromMemorySegment(B, tile, p + 768 + byteRow, LE)
                            .convertShape(B2F, F, part);
                    FloatVector s1 = (FloatVector) ByteVector.fromMemorySegment(B, tile, p + 800 + byteRow, LE)
                            .convertShape(B2F, F, part);
                    f = ((FloatVector) a0.reinterpretAsInts()
                                    .lanewise(LSHL, 16)
                                    .lanewise(ASHR, 16)
                                    .add(a0.reinterpretAsInts().lanewise(ASHR, 16))
                                    .convertShape(I2F, F, 0))
                            .fma(d.mul(s0).mul(dx), f);
                    f = ((FloatVector) a1.reinterpretAsInts()
                                    .lanewise(LSHL, 16)
                                    .lanewise(ASHR, 16)
                                    .add(a1.reinterpretAsInts().lanewise(ASHR, 16))
                                    .convertShape(I2F, F, 0))
                            .fma(d.mul(s1).mul(dx), f);
                }
                if (from == 0) {
                    f.intoArray(y, row);
                } else {
                    FloatVector.fromArray(F, y, row).add(f).intoArray(y, row);
                }
            }
        }
    }

    /// Four activation rows, `stride` prepared ints apart, with 32 weight rows. `work`: as in [Units].
    static void four(MemorySegment tile, int groups, int[] xs, int at, int stride, float[] work) {
        for (int from = 0; from < groups; from += 8) {
            int block = from / 8 * TileLayout.Q6_K_BYTES;
            for (int g = 0; g < 8; g++) {
                int group = block + 64 + g * TileLayout.Q6_K_GROUP_BYTES;
                int q = at + (from + g) * STRIDE;
                for (int unit = 0; unit < 2; unit++) {
                    int u = 2 * g + unit;
                    sums(tile, group, unit, xs, q, stride, work, Units.SUMS + 128 * u);
                    scales(tile, block, group + 768 + 32 * unit, work, Units.WEIGHT_SCALES + TileLayout.ROWS * u);
                    for (int c = 0; c < 4; c++) {
                        work[Units.SCALES + 4 * u + c] = Float.intBitsToFloat(xs[q + c * stride + 18]);
                    }
                }
            }
            Units.addSegment(work, 16, from == 0);
        }
    }

    /// The sums of one unit of a group of 32 columns: `[4, 32]` exact integers to `work` from `to`.
    private static void sums(
            MemorySegment tile, int group, int unit, int[] xs, int q, int stride, float[] work, int to) {
        int q0 = q + 8 * unit;
        int q1 = q0 + stride;
        int q2 = q1 + stride;
        int q3 = q2 + stride;
        int offset = q + 16 + unit;
        for (int row = 0; row < TileLayout.ROWS; row += LANES) {
            int p = group + 4 * row;
            ShortVector a0 = IntVector.broadcast(I, xs[offset]).reinterpretAsShorts();
            ShortVector a1 = IntVector.broadcast(I, xs[offset + stride]).reinterpretAsShorts();
            ShortVector a2 = IntVector.broadcast(I, xs[offset + 2 * stride]).reinterpretAsShorts();
            ShortVector a3 = IntVector.broadcast(I, xs[offset + 3 * stride]).reinterpretAsShorts();
            ShortVector high = ShortVector.fromMemorySegment(S, tile, p + TileLayout.NIBBLE_BYTES + 128 * unit, LE);
            for (int j = 0; j < 4; j++) {
                ShortVector low = ShortVector.fromMemorySegment(S, tile, p + 128 * j, LE)
                        .lanewise(LSHR, unit == 0 ? 0 : 4)
                        .and((short) 0x0f0f)
                        .or(high.and((short) 0x0303).lanewise(LSHL, 4));
                ShortVector upper = low.lanewise(LSHR, 8);
                high = high.lanewise(LSHR, 2);
                a0 = a0.add(low.mul(IntVector.broadcast(I, xs[q0 + 2 * j]).reinterpretAsShorts()))
                        .add(upper.mul(
                                IntVector.broadcast(I, xs[q0 + 2 * j + 1]).reinterpretAsShorts()));
                a1 = a1.add(low.mul(IntVector.broadcast(I, xs[q1 + 2 * j]).reinterpretAsShorts()))
                        .add(upper.mul(
                                IntVector.broadcast(I, xs[q1 + 2 * j + 1]).reinterpretAsShorts()));
                a2 = a2.add(low.mul(IntVector.broadcast(I, xs[q2 + 2 * j]).reinterpretAsShorts()))
                        .add(upper.mul(
                                IntVector.broadcast(I, xs[q2 + 2 * j + 1]).reinterpretAsShorts()));
                a3 = a3.add(low.mul(IntVector.broadcast(I, xs[q3 + 2 * j]).reinterpretAsShorts()))
                        .add(upper.mul(
                                IntVector.broadcast(I, xs[q3 + 2 * j + 1]).reinterpretAsShorts()));
            }
            ((FloatVector) a0.reinterpretAsInts()
                            .lanewise(LSHL, 16)
                            .lanewise(ASHR, 16)
                            .add(a0.reinterpretAsInts().lanewise(ASHR, 16))
                            .convertShape(I2F, F, 0))
                    .intoArray(work, to + row);
            ((FloatVector) a1.reinterpretAsInts()
                            .lanewise(LSHL, 16)
                            .lanewise(ASHR, 16)
                            .add(a1.reinterpretAsInts().lanewise(ASHR, 16))
                            .convertShape(I2F, F, 0))
                    .intoArray(work, to + row + 32);
            ((FloatVector) a2.reinterpretAsInts()
                            .lanewise(LSHL, 16)
                            .lanewise(ASHR, 16)
                            .add(a2.reinterpretAsInts().lanewise(ASHR, 16))
                            .convertShape(I2F, F, 0))
                    .intoArray(work, to + row + 64);
            ((FloatVector) a3.reinterpretAsInts()
                            .lanewise(LSHL, 16)
                            .lanewise(ASHR, 16)
                            .add(a3.reinterpretAsInts().lanewise(ASHR, 16))
                            .convertShape(I2F, F, 0))
                    .intoArray(work, to + row + 96);
        }
    }

    /// dw of 32 rows: their f16 scales from byte `block` times their unit's s8 scales from byte `unit` (exact).
    private static void scales(MemorySegment tile, int block, int unit, float[] work, int to) {
        Halves.widen(tile, block, work, to);
        for (int row = 0; row < TileLayout.ROWS; row += B.length()) {
            ByteVector s = ByteVector.fromMemorySegment(B, tile, unit + row, LE);
            for (int part = 0; part < B.length() / LANES; part++) {
                int at = to + row + part * LANES;
                FloatVector.fromArray(F, work, at)
                        .mul(s.convertShape(B2F, F, part))
                        .intoArray(work, at);
            }
        }
    }
}
