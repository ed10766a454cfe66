package org.bergfried.worker.sample;

/// Random numbers that depend on (seed, position) only, so that a draw can be repeated on another worker, in another
/// batch or years later: SplitMix64 (Steele, Lea, Flood 2014) entered at the position, with Stafford's variant 13 as
/// its finaliser.
final class CounterRandom {
    private static final long GAMMA = 0x9E3779B97F4A7C15L;

    private CounterRandom() {}

    /// A number in [0, 1) with 53 bits.
    static double unit(long seed, long position) {
        long z = seed + (position + 1) * GAMMA;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        z ^= z >>> 31;
        return (z >>> 11) * 0x1p-53;
    }
}
