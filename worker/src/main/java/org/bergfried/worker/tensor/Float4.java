package org.bergfried.worker.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// FP4 E2M1: a sign, two bits of exponent, one of fraction; 32 of them share a power of two.
public final class Float4 {
    /// Columns of a block.
    public static final int BLOCK_COLUMNS = 32;
    /// Bytes of a block: the exponent, then 16 bytes with columns 0 to 15 below and 16 to 31 above.
    public static final int BLOCK_BYTES = 17;
    /// The largest exponent with which 6, the largest number, is finite.
    public static final int EXPONENT_MAX = 252;

    private Float4() {}

    /// The number of a code (exact): its bits at the places of binary32's, then the exponent is corrected.
    public static float toFloat(int code) {
        return Float.intBitsToFloat(((code & 8) << 28) | ((code & 7) << 22)) * 0x1p126f;
    }

    /// 2^(exponent - 127), exact; the byte 0 gives a subnormal number.
    public static float scale(byte exponent) {
        return Float.intBitsToFloat(exponent == 0 ? 0x00400000 : (exponent & 255) << 23);
    }

    /// The weight of a column of the row of blocks that begins at byte `row` (exact).
    public static float weightAt(MemorySegment weights, long row, int column) {
        long block = row + (long) (column / BLOCK_COLUMNS) * BLOCK_BYTES;
        int both = weights.get(ValueLayout.JAVA_BYTE, block + 1 + column % 16);
        int code = column % BLOCK_COLUMNS < 16 ? both & 15 : (both >> 4) & 15;
        return toFloat(code) * scale(weights.get(ValueLayout.JAVA_BYTE, block));
    }
}
