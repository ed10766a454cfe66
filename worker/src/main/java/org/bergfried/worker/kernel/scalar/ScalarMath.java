package org.bergfried.worker.kernel.scalar;

/// The functions of ARITHMETIC.md rules D, E and F on single numbers.
public final class ScalarMath {
    /// 2^-32, the last bit of the fixed point of rule F.
    public static final float FIXED_UNIT = 0x1p-32f;
    /// Terms of this size or more poison a row (rule F).
    public static final float FIXED_LIMIT = 0x1p24f;

    private ScalarMath() {}

    /// The tree of rule D over 32 partial sums, which it overwrites.
    public static float tree(float[] s) {
        for (int h = 16; h >= 1; h /= 2) {
            for (int j = 0; j < h; j++) {
                s[j] = s[j] + s[j + h];
            }
        }
        return s[0];
    }

    /// exp of rule E: 2^n times a polynomial of degree 6.
    public static float exp(float x) {
        if (Float.isNaN(x)) {
            return x;
        }
        if (x <= -104f) {
            return 0f;
        }
        float z = x > 89f ? 89f : x;
        float n = Math.fma(z, 0x1.715476p0f, 0x1.8p23f) - 0x1.8p23f;
        float r = Math.fma(n, -0x1.62e4p-1f, z);
        r = Math.fma(n, -0x1.7f7d1cp-20f, r);
        float p = 0x1.694p-10f;
        p = Math.fma(p, r, 0x1.125edcp-7f);
        p = Math.fma(p, r, 0x1.555b5ap-5f);
        p = Math.fma(p, r, 0x1.55545p-3f);
        p = Math.fma(p, r, 0x1.fffff6p-2f);
        p = Math.fma(p, r, 1f);
        p = Math.fma(p, r, 1f);
        int a = (int) n >> 1;
        int b = (int) n - a;
        return p * powerOfTwo(a) * powerOfTwo(b);
    }

    private static float powerOfTwo(int exponent) {
        return Float.intBitsToFloat((exponent + 127) << 23);
    }

    /// sigmoid of rule E.
    public static float sigmoid(float x) {
        return 1f / (1f + exp(-x));
    }

    /// silu of rule E.
    public static float silu(float x) {
        return x / (1f + exp(-x));
    }

    /// The reciprocal of the root mean square (rule E) from the sum of squares of `n` numbers.
    public static float reciprocalRoot(float sum, int n, float epsilon) {
        return 1f / (float) Math.sqrt(sum / (float) n + epsilon);
    }

    /// True if a term cannot be added in fixed point (rule F).
    public static boolean poisons(float v) {
        return !(Math.abs(v) < FIXED_LIMIT);
    }

    /// A term of rule F in 64-bit fixed point.
    public static long fix(float v) {
        return (long) Math.rint((double) v * 0x1p32);
    }
}
