package org.bergfried.worker.tensor;

/// FP8 E4M3: a sign, four bits of exponent with the bias 7, three of fraction; 0x7f and 0xff are NaN, there is no
/// infinity.
public final class Float8 {
    private Float8() {}

    /// The number of a code (exact): its bits at the places of binary32's, then the exponent is corrected.
    public static float toFloat(byte code) {
        return Float.intBitsToFloat(((code & 0x80) << 24) | ((code & 0x7f) << 20)) * 0x1p120f;
    }
}
