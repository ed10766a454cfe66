package org.bergfried.worker.kernel.cpu;

import static org.bergfried.worker.kernel.cpu.HostBuffer.I16;
import static org.bergfried.worker.kernel.cpu.HostBuffer.I32;
import static org.bergfried.worker.kernel.cpu.HostBuffer.I8;

import java.lang.foreign.MemorySegment;
import org.bergfried.worker.tensor.ElementType;

/// Integer-coded weights with rows as lanes (ARITHMETIC.md "Layout"). A tile holds 32 rows, block after block;
/// missing rows are zero bytes. Inside a block, word `j` of row `r` is at `(32 j + r) * 4`, and scales stand beside
/// their columns:
///
/// - Q4_0, 576 bytes for 32 columns: a nibble tile (512), 32 f16 scales.
/// - Q8_0, 1088 bytes for 32 columns: 8 words a row (1024), 32 f16 scales.
/// - Q6_K, 6720 bytes for 256 columns: 32 f16 scales, then 8 groups of 32 columns, each a nibble tile (512), a two-bit
///   tile (256), 32 s8 scales of columns 0-15 and 32 of columns 16-31.
///
/// Nibble tile: byte `t` of word `j` has column `4 j + t` below and column `16 + 4 j + t` above. Two-bit tile: byte
/// `t` of word `h` has the bits 4 and 5 of column `16 h + 4 s + t` at bit `2 s`.
public final class TileLayout {
    /// Rows of a tile.
    public static final int ROWS = 32;
    /// Bytes of a nibble tile of 32 columns.
    public static final int NIBBLE_BYTES = 512;
    /// Bytes of one Q4_0 block of 32 rows and 32 columns.
    public static final int Q4_0_BYTES = NIBBLE_BYTES + 64;
    /// Bytes of one Q8_0 block of 32 rows and 32 columns.
    public static final int Q8_0_BYTES = 1024 + 64;
    /// Bytes of one group of 32 columns in a Q6_K block.
    public static final int Q6_K_GROUP_BYTES = NIBBLE_BYTES + 256 + 64;
    /// Bytes of one Q6_K block of 32 rows and 256 columns.
    public static final int Q6_K_BYTES = 64 + 8 * Q6_K_GROUP_BYTES;

    private TileLayout() {}

    /// Bytes of 32 rows of `columns` columns.
    public static long tileBytes(ElementType type, int columns) {
        return (long) columns / type.blockColumns() * blockBytes(type);
    }

    /// Tiles of a matrix of `rows` rows.
    public static int tiles(int rows) {
        return (rows + ROWS - 1) / ROWS;
    }

    private static int blockBytes(ElementType type) {
        return switch (type) {
            case Q4_0 -> Q4_0_BYTES;
            case Q8_0 -> Q8_0_BYTES;
            case Q6_K -> Q6_K_BYTES;
            case F32, F16, BF16 -> throw new IllegalArgumentException(type + " is not re-laid");
        };
    }

    /// Re-lays one row of a file into its place in a zeroed tile.
    static void relayRow(ElementType type, MemorySegment row, MemorySegment tile, int r) {
        int blocks = (int) (row.byteSize() / type.blockBytes());
        for (int b = 0; b < blocks; b++) {
            long from = (long) b * type.blockBytes();
            long to = (long) b * blockBytes(type);
            switch (type) {
                case Q4_0 -> relayWords(row, from, tile, to, r, 4);
                case Q8_0 -> relayWords(row, from, tile, to, r, 8);
                case Q6_K -> relayQ6K(row, from, tile, to, r);
                case F32, F16, BF16 -> throw new IllegalArgumentException(type + " is not re-laid");
            }
        }
    }

    /// A block of an f16 scale and `words` words: GGUF's nibble order is already that of a nibble tile.
    private static void relayWords(MemorySegment row, long from, MemorySegment tile, long to, int r, int words) {
        for (int j = 0; j < words; j++) {
            tile.set(I32, to + (32L * j + r) * 4, row.get(I32, from + 2 + 4L * j));
        }
        tile.set(I16, to + 128L * words + 2L * r, row.get(I16, from));
    }

    private static void relayQ6K(MemorySegment row, long from, MemorySegment tile, long to, int r) {
        tile.set(I16, to + 2L * r, row.get(I16, from + 208));
        for (int column = 0; column < 256; column++) {
            int code = q6kCode(row, from, column);
            long group = to + 64 + (long) (column / 32) * Q6_K_GROUP_BYTES;
            int c = column % 32;
            long nibble = group + (32L * (c % 16 / 4) + r) * 4 + c % 4;
            tile.set(I8, nibble, (byte) (tile.get(I8, nibble) | ((code & 15) << (c < 16 ? 0 : 4))));
            long pair = group + NIBBLE_BYTES + (32L * (c / 16) + r) * 4 + c % 4;
            tile.set(I8, pair, (byte) (tile.get(I8, pair) | ((code >> 4) << (2 * (c % 16 / 4)))));
        }
        for (int unit = 0; unit < 16; unit++) {
            long group = to + 64 + (long) (unit / 2) * Q6_K_GROUP_BYTES;
            tile.set(I8, group + 768 + 32L * (unit % 2) + r, row.get(I8, from + 192 + unit));
        }
    }

    /// The unsigned six-bit code of a column of a GGUF block: 128 bytes of nibbles, 64 of bit pairs, each half of 128
    /// columns apart.
    private static int q6kCode(MemorySegment row, long from, int column) {
        int half = column / 128;
        int quarter = column % 128 / 32;
        int lane = column % 32;
        int nibbles = row.get(I8, from + 64L * half + 32L * (quarter % 2) + lane) & 255;
        int pairs = row.get(I8, from + 128 + 32L * half + lane) & 255;
        int low = quarter < 2 ? nibbles & 15 : nibbles >> 4;
        return low | (((pairs >> (2 * quarter)) & 3) << 4);
    }

    /// The integers `n` of rule C of 32 columns of one row.
    ///
    /// @param tile  byte offset of the row's tile in `tiles`.
    /// @param r     row in the tile.
    /// @param block which 32 columns.
    /// @param codes receives 32 integers.
    public static void codes(ElementType type, MemorySegment tiles, long tile, int r, int block, int[] codes) {
        for (int c = 0; c < 32; c++) {
            codes[c] = switch (type) {
                case Q4_0 -> nibble(tiles, tile + (long) block * Q4_0_BYTES, r, c) - 8;
                case Q8_0 -> tiles.get(I8, tile + (long) block * Q8_0_BYTES + (32L * (c / 4) + r) * 4 + c % 4);
                case Q6_K -> {
                    long group = q6kGroup(tile, block);
                    int pairs = tiles.get(I8, group + NIBBLE_BYTES + (32L * (c / 16) + r) * 4 + c % 4);
                    yield (nibble(tiles, group, r, c) | (((pairs >> (2 * (c % 16 / 4))) & 3) << 4)) - 32;
                }
                case F32, F16, BF16 -> throw new IllegalArgumentException(type + " is not re-laid");
            };
        }
    }

    /// The weight scale dw of rule C of 16 columns of one row.
    ///
    /// @param half which 16 columns; Q4_0 and Q8_0 have the same scale for both halves of 32.
    public static float scale(ElementType type, MemorySegment tiles, long tile, int r, int half) {
        int block = half / 2;
        return switch (type) {
            case Q4_0 -> f16(tiles, tile + (long) block * Q4_0_BYTES + NIBBLE_BYTES + 2L * r);
            case Q8_0 -> f16(tiles, tile + (long) block * Q8_0_BYTES + 1024 + 2L * r);
            case Q6_K ->
                f16(tiles, tile + (long) (block / 8) * Q6_K_BYTES + 2L * r)
                        * tiles.get(I8, q6kGroup(tile, block) + 768 + 32L * (half % 2) + r);
            case F32, F16, BF16 -> throw new IllegalArgumentException(type + " is not re-laid");
        };
    }

    private static long q6kGroup(long tile, int block) {
        return tile + (long) (block / 8) * Q6_K_BYTES + 64 + (long) (block % 8) * Q6_K_GROUP_BYTES;
    }

    private static int nibble(MemorySegment tiles, long start, int r, int c) {
        int both = tiles.get(I8, start + (32L * (c % 16 / 4) + r) * 4 + c % 4) & 255;
        return c < 16 ? both & 15 : both >> 4;
    }

    private static float f16(MemorySegment tiles, long at) {
        return Float.float16ToFloat(tiles.get(I16, at));
    }
}
