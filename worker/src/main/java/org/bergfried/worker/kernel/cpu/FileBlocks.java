package org.bergfried.worker.kernel.cpu;

import static org.bergfried.worker.kernel.cpu.HostBuffer.I16;
import static org.bergfried.worker.kernel.cpu.HostBuffer.I32;
import static org.bergfried.worker.kernel.cpu.HostBuffer.I8;

import java.lang.foreign.MemorySegment;
import org.bergfried.worker.tensor.ElementType;

/// Blocks of integer-coded weights as they lie in a GGUF file (ggml's `ggml-common.h` and `dequantize_row_*`).
///
/// In all methods a block begins at byte `at` of a row, and `group` is one of its 32 columns each.
final class FileBlocks {
    private FileBlocks() {}

    /// The codes of columns `4 j` to `4 j + 3` of a group, unsigned (but for Q8_0), one in a byte.
    static int codes(ElementType type, MemorySegment row, int at, int group, int j) {
        return switch (type) {
            case Q4_0, IQ4_NL, INT4 -> nibbles(row, at + 2, j);
            case Q4_1 -> nibbles(row, at + 4, j);
            case MXFP4 -> nibbles(row, at + 1, j);
            case IQ4_XS -> nibbles(row, at + 8 + 16 * group, j);
            case Q5_0 -> nibbles(row, at + 6, j) | fifthBits(row, at + 2, j);
            case Q5_1 -> nibbles(row, at + 8, j) | fifthBits(row, at + 4, j);
            case Q8_0 -> row.get(I32, at + 2 + 4L * j);
            case Q2_K -> pairs(row, at + 16, group, j);
            case Q3_K -> pairs(row, at + 32, group, j) | (bits(row, at, group, j) << 2);
            case Q4_K -> halves(row, at + 16, group, j);
            case Q5_K -> halves(row, at + 48, group, j) | (bits(row, at + 16, group, j) << 4);
            case Q6_K -> q6k(row, at, group, j);
            case F32, F16, BF16, F8_E4M3, F4_E2M1 -> throw new IllegalArgumentException(type + " has no codes");
        };
    }

    /// Sixteen bytes: columns 0 to 15 below, 16 to 31 above.
    private static int nibbles(MemorySegment row, int at, int j) {
        return (row.get(I32, at + 4L * (j % 4)) >>> (j < 4 ? 0 : 4)) & 0x0f0f0f0f;
    }

    /// A bit of each of 32 columns in one number; four of them are spread to bytes.
    private static int fifthBits(MemorySegment row, int at, int j) {
        int four = (row.get(I32, at) >>> (4 * j)) & 15;
        return ((four * 0x00204081) & 0x01010101) << 4;
    }

    /// 128 columns in 32 bytes: of each byte, two bits for each of four groups.
    private static int pairs(MemorySegment row, int at, int group, int j) {
        return (row.get(I32, at + 32L * (group / 4) + 4L * j) >>> (2 * (group % 4))) & 0x03030303;
    }

    /// 256 columns in 32 bytes: of each byte, a bit for each of eight groups.
    private static int bits(MemorySegment row, int at, int group, int j) {
        return (row.get(I32, at + 4L * j) >>> group) & 0x01010101;
    }

    /// 64 columns in 32 bytes: the even group below, the odd one above.
    private static int halves(MemorySegment row, int at, int group, int j) {
        return (row.get(I32, at + 32L * (group / 2) + 4L * j) >>> (4 * (group % 2))) & 0x0f0f0f0f;
    }

    /// 128 bytes of nibbles, 64 of bit pairs; each half of 128 columns apart.
    private static int q6k(MemorySegment row, int at, int group, int j) {
        int quarter = group % 4;
        long nibbles = at + 64L * (group / 4) + 32L * (quarter % 2) + 4L * j;
        int low = (row.get(I32, nibbles) >>> (quarter < 2 ? 0 : 4)) & 0x0f0f0f0f;
        return low | (pairs(row, at + 128, group, j) << 4);
    }

    /// Copies the f16 scales of a block to row `r` of a tile's head.
    static void relayHead(ElementType type, MemorySegment row, int at, MemorySegment tile, int head, int r) {
        switch (type) {
            case Q2_K -> {
                half(row, at + 80, tile, head, r);
                half(row, at + 82, tile, head + 64, r);
            }
            case Q4_K, Q5_K -> {
                half(row, at, tile, head, r);
                half(row, at + 2, tile, head + 64, r);
            }
            case Q3_K -> half(row, at + 108, tile, head, r);
            case Q6_K -> half(row, at + 208, tile, head, r);
            case IQ4_XS -> half(row, at, tile, head, r);
            case Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, IQ4_NL, MXFP4, INT4, F32, F16, BF16, F8_E4M3, F4_E2M1 -> {
                // no scales of 256 columns
            }
        }
    }

    /// Brings the scales of a group to row `r` of a tile's group, which has them from byte `scales`.
    static void relayScales(
            ElementType type, MemorySegment row, int at, int group, MemorySegment tile, int scales, int r) {
        switch (type) {
            case Q4_0, Q5_0, Q8_0, IQ4_NL, INT4 -> half(row, at, tile, scales, r);
            case Q4_1, Q5_1 -> {
                half(row, at, tile, scales, r);
                half(row, at + 2, tile, scales + 64, r);
            }
            case MXFP4 -> tile.set(I8, scales + r, row.get(I8, at));
            case Q2_K, Q3_K, Q6_K -> {
                for (int unit = 0; unit < 2; unit++) {
                    tile.set(I8, scales + 32L * unit + r, (byte) unitScale(type, row, at, 2 * group + unit));
                }
            }
            case Q4_K, Q5_K -> {
                tile.set(I8, scales + r, (byte) scaleOf32(row, at + 4, group));
                tile.set(I8, scales + 32L + r, (byte) offsetOf32(row, at + 4, group));
            }
            case IQ4_XS -> tile.set(I8, scales + r, (byte) iq4Scale(row, at, group));
            case F32, F16, BF16, F8_E4M3, F4_E2M1 -> throw new IllegalArgumentException(type + " has no scales");
        }
    }

    private static void half(MemorySegment row, int at, MemorySegment tile, int to, int r) {
        tile.set(I16, to + 2L * r, row.get(I16, at));
    }

    /// The scale of 16 columns: Q2_K's with its offset as they lie, Q3_K's minus 32.
    private static int unitScale(ElementType type, MemorySegment row, int at, int unit) {
        return switch (type) {
            case Q2_K -> row.get(I8, at + (long) unit);
            case Q3_K -> {
                int low = (row.get(I8, at + 96L + unit % 8) >> (unit < 8 ? 0 : 4)) & 15;
                int high = (row.get(I8, at + 104L + unit % 4) >> (2 * (unit / 4))) & 3;
                yield (low | (high << 4)) - 32;
            }
            default -> row.get(I8, at + 192L + unit);
        };
    }

    /// Eight six-bit scales and offsets in 12 bytes.
    private static int scaleOf32(MemorySegment row, int at, int group) {
        if (group < 4) {
            return row.get(I8, at + (long) group) & 63;
        }
        return (row.get(I8, at + 4L + group) & 15) | (((row.get(I8, at - 4L + group) >> 6) & 3) << 4);
    }

    private static int offsetOf32(MemorySegment row, int at, int group) {
        if (group < 4) {
            return row.get(I8, at + 4L + group) & 63;
        }
        return ((row.get(I8, at + 4L + group) >> 4) & 15) | (((row.get(I8, at + (long) group) >> 6) & 3) << 4);
    }

    private static int iq4Scale(MemorySegment row, int at, int group) {
        int low = (row.get(I8, at + 4L + group / 2) >> (4 * (group % 2))) & 15;
        int high = (row.get(I16, at + 2L) >> (2 * group)) & 3;
        return (low | (high << 4)) - 32;
    }
}
