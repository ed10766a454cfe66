package org.bergfried.contract.tensor;

/// How a row of activations is coded in a frame: always as the kernels of the experts consume it.
public enum RowEncoding {
    /// int8 with one float32 scale per 32 columns (ARITHMETIC.md rule B), for integer-coded weights.
    QUANTISED(1),
    /// float32, where a gate or up matrix is a float matrix.
    FLOATS(2);

    /// Columns that share a scale.
    public static final int BLOCK_COLUMNS = 32;

    private final int code;

    RowEncoding(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }

    static RowEncoding of(int code) {
        return switch (code) {
            case 1 -> QUANTISED;
            case 2 -> FLOATS;
            default -> throw FrameLayout.bad("unknown row encoding " + code);
        };
    }

    /// Bytes of the first section of `rows` rows: the int8 or float32 values.
    long valueBytes(int rows, int columns) {
        return switch (this) {
            case QUANTISED -> (long) rows * columns;
            case FLOATS -> (long) rows * columns * Float.BYTES;
        };
    }

    /// Bytes of the scales of `rows` rows.
    long scaleBytes(int rows, int columns) {
        return switch (this) {
            case QUANTISED -> (long) rows * (columns / BLOCK_COLUMNS) * Float.BYTES;
            case FLOATS -> 0;
        };
    }
}
