package org.bergfried.worker.kernel.cpu;

import org.bergfried.worker.tensor.ElementType;

/// What a tile of an integer-coded type consists of, and where ([TileLayout] has the bytes of each part).
public enum TileForm {
    /// Of [ElementType#Q4_0].
    Q4_0(TileForm.NIBBLES, 8, Table.NONE, Scales.HALF),
    /// Of [ElementType#Q4_1].
    Q4_1(TileForm.NIBBLES, 0, Table.NONE, Scales.HALF_AND_OFFSET),
    /// Of [ElementType#Q5_0].
    Q5_0(TileForm.NIBBLES | TileForm.BITS, 16, Table.NONE, Scales.HALF),
    /// Of [ElementType#Q5_1].
    Q5_1(TileForm.NIBBLES | TileForm.BITS, 0, Table.NONE, Scales.HALF_AND_OFFSET),
    /// Of [ElementType#Q8_0].
    Q8_0(TileForm.BYTES, 0, Table.NONE, Scales.HALF),
    /// Of [ElementType#Q2_K].
    Q2_K(TileForm.PAIRS, 0, Table.NONE, Scales.UNIT_AND_OFFSET_IN_NIBBLES),
    /// Of [ElementType#Q3_K].
    Q3_K(TileForm.PAIRS | TileForm.BITS, 4, Table.NONE, Scales.TWO_UNITS),
    /// Of [ElementType#Q4_K].
    Q4_K(TileForm.NIBBLES, 0, Table.NONE, Scales.UNIT_AND_OFFSET),
    /// Of [ElementType#Q5_K].
    Q5_K(TileForm.NIBBLES | TileForm.BITS, 0, Table.NONE, Scales.UNIT_AND_OFFSET),
    /// Of [ElementType#Q6_K].
    Q6_K(TileForm.NIBBLES | TileForm.PAIRS, 32, Table.NONE, Scales.TWO_UNITS),
    /// Of [ElementType#IQ4_NL].
    IQ4_NL(TileForm.NIBBLES, 0, Table.UNEVEN, Scales.HALF),
    /// Of [ElementType#IQ4_XS].
    IQ4_XS(TileForm.NIBBLES, 0, Table.UNEVEN, Scales.UNIT),
    /// Of [ElementType#MXFP4].
    MXFP4(TileForm.NIBBLES, 0, Table.E2M1, Scales.EXPONENT),
    /// Of [ElementType#INT4].
    INT4(TileForm.NIBBLES, 8, Table.NONE, Scales.BFLOAT);

    /// Part of [#planes]: the lower four bits of each code, 512 bytes.
    public static final int NIBBLES = 1;
    /// Part of [#planes]: two bits of each code, 256 bytes.
    public static final int PAIRS = 2;
    /// Part of [#planes]: one bit of each code, 128 bytes.
    public static final int BITS = 4;
    /// Part of [#planes]: whole signed codes, 1024 bytes.
    public static final int BYTES = 8;

    /// Integers that four-bit codes stand for.
    public enum Table {
        /// The codes themselves, minus the form's offset.
        NONE(new byte[0]),
        /// IQ4's, closer together around zero.
        UNEVEN(new byte[] {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113}),
        /// Twice the values of a float of sign, two bits of exponent and one of fraction.
        E2M1(new byte[] {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12});

        @SuppressWarnings("ImmutableEnumChecker") // never written
        private final byte[] values;

        Table(byte[] values) {
            this.values = values;
        }

        /// The integer of a code.
        public int value(int code) {
            return values[code];
        }
    }

    /// Kinds of scales: what stands before 256 columns (the head), what stands behind the codes of 32 columns, and
    /// what they mean (dw and mw of rule C).
    public enum Scales {
        /// 32 f16 d: dw = d.
        HALF(0, 64, 32, false),
        /// 32 f16 d, 32 f16 m: dw = d, mw = m.
        HALF_AND_OFFSET(0, 128, 32, true),
        /// 32 bf16 d: dw = d.
        BFLOAT(0, 64, 32, false),
        /// 32 bytes e: dw = 2^(e - 128).
        EXPONENT(0, 32, 32, false),
        /// Head: 32 f16 d. 32 s8 s: dw = d * s.
        UNIT(64, 32, 32, false),
        /// Head: 32 f16 d. 32 s8 s of columns 0-15, 32 of columns 16-31: dw = d * s.
        TWO_UNITS(64, 64, 16, false),
        /// Head: 32 f16 d, 32 f16 dmin. 32 u8 s, 32 u8 m: dw = d * s, mw = -(dmin * m).
        UNIT_AND_OFFSET(128, 64, 32, true),
        /// Head: 32 f16 d, 32 f16 dmin. 32 bytes of columns 0-15, 32 of columns 16-31, each s in the low nibble and m
        /// in the high one: dw = d * s, mw = -(dmin * m).
        UNIT_AND_OFFSET_IN_NIBBLES(128, 64, 16, true);

        private final int headBytes;
        private final int groupBytes;
        private final int unitColumns;
        private final boolean offset;

        Scales(int headBytes, int groupBytes, int unitColumns, boolean offset) {
            this.headBytes = headBytes;
            this.groupBytes = groupBytes;
            this.unitColumns = unitColumns;
            this.offset = offset;
        }

        /// Bytes before 256 columns.
        public int headBytes() {
            return headBytes;
        }
    }

    private final int planes;
    private final int offset;
    private final Table table;
    private final Scales scales;

    TileForm(int planes, int offset, Table table, Scales scales) {
        this.planes = planes;
        this.offset = offset;
        this.table = table;
        this.scales = scales;
    }

    /// The form of an integer-coded type.
    public static TileForm of(ElementType type) {
        return switch (type) {
            case Q4_0 -> Q4_0;
            case Q4_1 -> Q4_1;
            case Q5_0 -> Q5_0;
            case Q5_1 -> Q5_1;
            case Q8_0 -> Q8_0;
            case Q2_K -> Q2_K;
            case Q3_K -> Q3_K;
            case Q4_K -> Q4_K;
            case Q5_K -> Q5_K;
            case Q6_K -> Q6_K;
            case IQ4_NL -> IQ4_NL;
            case IQ4_XS -> IQ4_XS;
            case MXFP4 -> MXFP4;
            case INT4 -> INT4;
            case F32, F16, BF16, F8_E4M3, F4_E2M1 -> throw new IllegalArgumentException(type + " is not re-laid");
        };
    }

    /// Whether the codes have a part, such as [#NIBBLES].
    public boolean has(int plane) {
        return (planes & plane) != 0;
    }

    /// What is subtracted from a code.
    public int offset() {
        return offset;
    }

    /// The integers that codes stand for.
    public Table table() {
        return table;
    }

    /// The kind of scales.
    public Scales scales() {
        return scales;
    }

    /// Columns that share a scale: 16 or 32.
    public int unitColumns() {
        return scales.unitColumns;
    }

    /// Whether weights have an offset mw.
    public boolean hasOffset() {
        return scales.offset;
    }

    /// Where the two bits of each code begin in a group.
    public int pairsAt() {
        return has(NIBBLES) ? 512 : 0;
    }

    /// Where the one bit of each code begins in a group.
    public int bitsAt() {
        return pairsAt() + (has(PAIRS) ? 256 : 0);
    }

    /// Where the scales begin in a group.
    public int scalesAt() {
        return bitsAt() + (has(BITS) ? 128 : 0) + (has(BYTES) ? 1024 : 0);
    }

    /// Bytes of a group: 32 rows of 32 columns without the head.
    public int groupBytes() {
        return scalesAt() + scales.groupBytes;
    }

    /// Bytes of 32 rows of a file's block: of 256 columns where there is a head, else of 32.
    public int blockBytes() {
        return scales.headBytes == 0 ? groupBytes() : scales.headBytes + 8 * groupBytes();
    }

    /// Where the head of a group's block begins in a tile.
    public int headAt(int group) {
        return group / 8 * (scales.headBytes + 8 * groupBytes());
    }

    /// Where a group of 32 columns begins in a tile.
    public int groupAt(int group) {
        return scales.headBytes == 0
                ? group * groupBytes()
                : headAt(group) + scales.headBytes + group % 8 * groupBytes();
    }

    /// The integer n of rule C of a code.
    public int value(int code) {
        return table == Table.NONE ? code - offset : table.value(code);
    }
}
