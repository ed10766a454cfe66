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
    /// A byte of sign, four bits of exponent and three of fraction (FP8), times a scale of 128 x 128 weights that
    /// lies
    /// in a tensor of its own.
    F8_E4M3(1, 1, false),
    /// 32 four-bit floats and an exponent of 8 bits as gpt-oss's safetensors have them, in blocks like those of
    /// [#MXFP4]; but a float type: activations are not quantised.
    F4_E2M1(32, 17, false),
    /// 32 signed bytes and an f16 scale.
    Q8_0(32, 34, true),
    /// 32 four-bit integers minus 8 and an f16 scale.
    Q4_0(32, 18, true),
    /// 32 four-bit integers, an f16 scale and an f16 offset.
    Q4_1(32, 20, true),
    /// 32 five-bit integers minus 16 and an f16 scale.
    Q5_0(32, 22, true),
    /// 32 five-bit integers, an f16 scale and an f16 offset.
    Q5_1(32, 24, true),
    /// 256 two-bit integers, 16 four-bit scales and offsets, f16 scales of them.
    Q2_K(256, 84, true),
    /// 256 three-bit integers minus 4, 16 six-bit scales minus 32 and an f16 scale of them.
    Q3_K(256, 110, true),
    /// 256 four-bit integers, 8 six-bit scales and offsets, f16 scales of them.
    Q4_K(256, 144, true),
    /// 256 five-bit integers, 8 six-bit scales and offsets, f16 scales of them.
    Q5_K(256, 176, true),
    /// 256 six-bit integers minus 32, 16 signed scales and an f16 scale of them.
    Q6_K(256, 210, true),
    /// 32 four-bit places in a table of integers and an f16 scale.
    IQ4_NL(32, 18, true),
    /// 256 four-bit places in the same table, 8 six-bit scales minus 32 and an f16 scale of them.
    IQ4_XS(256, 136, true),
    /// 32 four-bit floats (sign, two bits of exponent, one of fraction) and an exponent of 8 bits.
    MXFP4(32, 17, true),
    /// 32 four-bit integers minus 8 and a bf16 scale: compressed-tensors' int4, packed and scale brought together. No
    /// file has such blocks; they are a bf16 scale, then nibbles as in Q4_0.
    INT4(32, 18, true);

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
