package org.bergfried.worker.tensor;

/// How the elements of a tensor are coded in a model file. Integer-coded types follow GGUF's blocks; ARITHMETIC.md
/// rule
/// C gives their values,
/// rule D those of the float types.
public enum ElementType {
    /// IEEE binary32.
    F32(1, 4, false),
    /// IEEE binary16.
    F16(1, 2, false),
    /// The upper half of binary32.
    BF16(1, 2, false),
    /// 32 signed bytes and an f16 scale.
    Q8_0(32, 34, true),
    /// 32 four-bit integers minus 8 and an f16 scale.
    Q4_0(32, 18, true),
    /// 256 six-bit integers minus 32, 16 signed scales and an f16 scale of them.
    Q6_K(256, 210, true);

    private final int blockColumns;
    private final int blockBytes;
    private final boolean integerCoded;

    ElementType(int blockColumns, int blockBytes, boolean integerCoded) {
        this.blockColumns = blockColumns;
        this.blockBytes = blockBytes;
        this.integerCoded = integerCoded;
    }

    /// Columns that one block covers; a row's column count must be a multiple of it.
    public int blockColumns() {
        return blockColumns;
    }

    /// Bytes of one block.
    public int blockBytes() {
        return blockBytes;
    }

    /// True if products use quantised activations (rules B and C) rather than rule D.
    public boolean integerCoded() {
        return integerCoded;
    }

    /// Bytes of a row of `columns` elements.
    public long rowBytes(int columns) {
        if (columns % blockColumns != 0) {
            throw new IllegalArgumentException(
                    "a row of " + columns + " columns is no multiple of the " + blockColumns + " of " + this);
        }
        return (long) columns / blockColumns * blockBytes;
    }
}
