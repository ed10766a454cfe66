package org.bergfried.worker.kernel;

/// What stands between the two matrices of a feed-forward part and the third.
public sealed interface Activation {
    /// `silu(gate) * up`.
    record SwiGlu() implements Activation {}

    /// gpt-oss's: see [Backend#clampedSwiglu].
    ///
    /// @param alpha multiplies the gate inside the sigmoid.
    /// @param limit bounds gate and up.
    record ClampedSwiGlu(float alpha, float limit) implements Activation {}
}
