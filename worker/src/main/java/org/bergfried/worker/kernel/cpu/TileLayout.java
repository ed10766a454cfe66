package org.bergfried.worker.kernel.cpu;

import static org.bergfried.worker.kernel.cpu.HostBuffer.I16;
import static org.bergfried.worker.kernel.cpu.HostBuffer.I32;
import static org.bergfried.worker.kernel.cpu.HostBuffer.I8;

import java.lang.foreign.MemorySegment;
import org.bergfried.worker.tensor.ElementType;

/// Integer-coded weights with rows as lanes (ARITHMETIC.md "Layout"). A tile holds 32 rows, block after block;
/// missing rows are zero bytes. A block is a head (scales of 256 columns, where the type has them) and groups of 32
/// columns; a group is the codes, in up to three planes, and its scales, all of them with one entry for each row:
///
/// | type | block | columns | head | planes of a group | scales of a group |
/// |---|---|---|---|---|---|
/// | Q4_0 | 576 | 32 | | nibbles (n = code - 8) | f16 d |
/// | Q4_1 | 640 | 32 | | nibbles | f16 d, f16 m |
/// | Q5_0 | 704 | 32 | | nibbles, bits (n = code - 16) | f16 d |
/// | Q5_1 | 768 | 32 | | nibbles, bits | f16 d, f16 m |
/// | Q8_0 | 1088 | 32 | | bytes, signed | f16 d |
/// | IQ4_NL | 576 | 32 | | nibbles (n from a table) | f16 d |
/// | MXFP4 | 544 | 32 | | nibbles (n from a table) | u8 e |
/// | INT4 | 576 | 32 | | nibbles (n = code - 8) | bf16 d |
/// | Q2_K | 2688 | 256 | f16 d, f16 dmin | pairs | bytes s + 16 m of columns 0-15, then of 16-31 |
/// | Q3_K | 3648 | 256 | f16 d | pairs, bits (n = code - 4) | s8 s of columns 0-15, then of 16-31 |
/// | Q4_K | 4736 | 256 | f16 d, f16 dmin | nibbles | u8 s, u8 m |
/// | Q5_K | 5760 | 256 | f16 d, f16 dmin | nibbles, bits | u8 s, u8 m |
/// | Q6_K | 6720 | 256 | f16 d | nibbles, pairs (n = code - 32) | s8 s of columns 0-15, then of 16-31 |
/// | IQ4_XS | 4416 | 256 | f16 d | nibbles (n from a table) | s8 s |
///
/// "f16 d" is 32 of them, one after the other; likewise the others. [TileForm] says what scales mean. Planes, with
/// word `j` of row `r` at `(32 j + r) * 4`:
///
/// - nibbles, 512 bytes: byte `t` of word `j` has the lowest four bits of column `4 j + t` below and of column
///   `16 + 4 j + t` above.
/// - pairs, 256 bytes, the next two bits (the only two where there are no nibbles): byte `t` of word `h` has those of
///   column `16 h + 4 s + t` at bit `2 s`.
/// - bits, 128 bytes, the next one: byte `t` of the row's only word has that of column `4 s + t` at bit `s`.
/// - bytes, 1024 bytes: byte `t` of word `j` is column `4 j + t`.
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
        return (long) columns / type.blockColumns() * TileForm.of(type).blockBytes();
    }

    /// Tiles of a matrix of `rows` rows.
    public static int tiles(int rows) {
        return (rows + ROWS - 1) / ROWS;
    }

    /// Re-lays one row of a file into its place in a zeroed tile.
    static void relayRow(ElementType type, MemorySegment row, MemorySegment tile, int r) {
        TileForm form = TileForm.of(type);
        var words = new int[8];
        int groupsPerBlock = type.blockColumns() / 32;
        int groups = (int) (row.byteSize() / type.blockBytes()) * groupsPerBlock;
        for (int group = 0; group < groups; group++) {
            int from = group / groupsPerBlock * type.blockBytes();
            for (int j = 0; j < 8; j++) {
                words[j] = FileBlocks.codes(type, row, from, group % 8, j);
            }
            relayCodes(form, words, tile, form.groupAt(group), r);
            FileBlocks.relayScales(type, row, from, group % 8, tile, form.groupAt(group) + form.scalesAt(), r);
            if (group % 8 == 0) {
                FileBlocks.relayHead(type, row, from, tile, form.headAt(group), r);
            }
        }
    }

    /// `words`: the codes of 32 columns, one in a byte.
    private static void relayCodes(TileForm form, int[] words, MemorySegment tile, int group, int r) {
        if (form.has(TileForm.BYTES)) {
            for (int j = 0; j < 8; j++) {
                tile.set(I32, group + (32L * j + r) * 4, words[j]);
            }
            return;
        }
        int shift = 0;
        if (form.has(TileForm.NIBBLES)) {
            for (int j = 0; j < 4; j++) {
                int both = (words[j] & 0x0f0f0f0f) | ((words[j + 4] & 0x0f0f0f0f) << 4);
                tile.set(I32, group + (32L * j + r) * 4, both);
            }
            shift = 4;
        }
        if (form.has(TileForm.PAIRS)) {
            for (int h = 0; h < 2; h++) {
                int pairs = 0;
                for (int s = 0; s < 4; s++) {
                    pairs |= ((words[4 * h + s] >>> shift) & 0x03030303) << (2 * s);
                }
                tile.set(I32, group + form.pairsAt() + (32L * h + r) * 4, pairs);
            }
            shift += 2;
        }
        if (form.has(TileForm.BITS)) {
            int bits = 0;
            for (int s = 0; s < 8; s++) {
                bits |= ((words[s] >>> shift) & 0x01010101) << s;
            }
            tile.set(I32, group + form.bitsAt() + 4L * r, bits);
        }
    }

    /// The integers `n` of rule C of 32 columns of one row.
    ///
    /// @param tile  byte offset of the row's tile in `tiles`.
    /// @param r     row in the tile.
    /// @param block which 32 columns.
    /// @param codes receives 32 integers.
    public static void codes(ElementType type, MemorySegment tiles, long tile, int r, int block, int[] codes) {
        TileForm form = TileForm.of(type);
        long group = tile + form.groupAt(block);
        for (int c = 0; c < 32; c++) {
            codes[c] = form.has(TileForm.BYTES)
                    ? tiles.get(I8, group + (32L * (c / 4) + r) * 4 + c % 4)
                    : form.value(code(form, tiles, group, r, c));
        }
    }

    private static int code(TileForm form, MemorySegment tiles, long group, int r, int c) {
        int code = 0;
        int shift = 0;
        if (form.has(TileForm.NIBBLES)) {
            int both = tiles.get(I8, group + (32L * (c % 16 / 4) + r) * 4 + c % 4);
            code = (both >> (c < 16 ? 0 : 4)) & 15;
            shift = 4;
        }
        if (form.has(TileForm.PAIRS)) {
            int pairs = tiles.get(I8, group + form.pairsAt() + (32L * (c / 16) + r) * 4 + c % 4);
            code |= ((pairs >> (2 * (c % 16 / 4))) & 3) << shift;
            shift += 2;
        }
        if (form.has(TileForm.BITS)) {
            int bits = tiles.get(I8, group + form.bitsAt() + 4L * r + c % 4);
            code |= ((bits >> (c / 4)) & 1) << shift;
        }
        return code;
    }

    /// The weight scale dw of rule C of 16 columns of one row.
    ///
    /// @param half which 16 columns; most types have the same scale for both halves of 32.
    public static float scale(ElementType type, MemorySegment tiles, long tile, int r, int half) {
        TileForm form = TileForm.of(type);
        long head = tile + form.headAt(half / 2);
        long scales = tile + form.groupAt(half / 2) + form.scalesAt();
        return switch (form.scales()) {
            case HALF, HALF_AND_OFFSET -> f16(tiles, scales + 2L * r);
            case BFLOAT -> Float.intBitsToFloat(tiles.get(I16, scales + 2L * r) << 16);
            case EXPONENT -> powerOfTwo(tiles.get(I8, scales + r) & 255);
            case UNIT -> f16(tiles, head + 2L * r) * tiles.get(I8, scales + r);
            case TWO_UNITS -> f16(tiles, head + 2L * r) * tiles.get(I8, scales + 32L * (half % 2) + r);
            case UNIT_AND_OFFSET -> f16(tiles, head + 2L * r) * (tiles.get(I8, scales + r) & 255);
            case UNIT_AND_OFFSET_IN_NIBBLES ->
                f16(tiles, head + 2L * r) * (tiles.get(I8, scales + 32L * (half % 2) + r) & 15);
        };
    }

    /// The offset mw of rule C of 16 columns of one row, for types that have one.
    public static float offset(ElementType type, MemorySegment tiles, long tile, int r, int half) {
        TileForm form = TileForm.of(type);
        long head = tile + form.headAt(half / 2) + 64;
        long scales = tile + form.groupAt(half / 2) + form.scalesAt();
        return switch (form.scales()) {
            case HALF_AND_OFFSET -> f16(tiles, scales + 64 + 2L * r);
            case UNIT_AND_OFFSET -> -(f16(tiles, head + 2L * r) * (tiles.get(I8, scales + 32 + r) & 255));
            case UNIT_AND_OFFSET_IN_NIBBLES ->
                -(f16(tiles, head + 2L * r) * ((tiles.get(I8, scales + 32L * (half % 2) + r) >> 4) & 15));
            case HALF, BFLOAT, EXPONENT, UNIT, TWO_UNITS -> throw new IllegalArgumentException(type + " has no offset");
        };
    }

    /// 2^(e - 128), exact for every byte; 0 and 1 give subnormal numbers.
    private static float powerOfTwo(int e) {
        return Float.intBitsToFloat(e < 2 ? 0x00200000 << e : (e - 1) << 23);
    }

    private static float f16(MemorySegment tiles, long at) {
        return Float.float16ToFloat(tiles.get(I16, at));
    }
}
