package org.bergfried.worker.kernel.check;

/// The generator of the data that backends are compared on, the same as in `reference.c` of the tests.
public final class SplitMix {
    private final long seed;
    private long state;

    /// The sequence of a seed.
    public SplitMix(long seed) {
        this.seed = seed;
        state = seed;
    }

    /// What it was made with.
    long seed() {
        return seed;
    }

    /// 64 bits.
    public long draw() {
        state += 0x9E3779B97F4A7C15L;
        long z = state;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /// From 0 to `bound - 1`.
    public int below(int bound) {
        return (int) Long.remainderUnsigned(draw(), bound);
    }

    /// A float in [-1, 1) times a power of two between 2^-8 and 2^7.
    public float number() {
        float v = (int) (draw() >>> 32) * 0x1p-31f;
        return v * Math.scalb(1f, below(16) - 8);
    }

    /// `n` of them.
    public float[] numbers(int n) {
        var x = new float[n];
        for (int i = 0; i < n; i++) {
            x[i] = number();
        }
        return x;
    }
}
