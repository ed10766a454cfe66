package org.bergfried.worker.trunk;

import org.bergfried.worker.tensor.Rows;

/// The feed-forward part of one layer.
sealed interface FeedForward permits DenseFeedForward, MoeFeedForward {
    /// Computes what this part adds to the residual stream.
    ///
    /// @param normed float32 `[n, hiddenSize]`, the residual stream after this layer's norm.
    /// @param y      float32 `[n, hiddenSize]`.
    void run(Operand normed, Rows y);
}
