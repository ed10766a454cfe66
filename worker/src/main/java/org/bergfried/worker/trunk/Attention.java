package org.bergfried.worker.trunk;

import org.bergfried.worker.tensor.Rows;

/// The attention of one layer.
sealed interface Attention permits GroupedAttention, LatentAttention {
    /// Writes keys and values of all rows of the step to the cache, then lets each row attend to the positions of its
    /// sequence up to its own.
    ///
    /// @param normed float32 `[n, hiddenSize]`, the residual stream after this layer's norm.
    /// @param y      float32 `[n, hiddenSize]`.
    void run(Operand normed, Rows y);
}
