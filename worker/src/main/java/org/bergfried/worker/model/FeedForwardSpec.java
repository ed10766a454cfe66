package org.bergfried.worker.model;

import org.bergfried.worker.kernel.Activation;
import org.bergfried.worker.kernel.GateShape;

/// The feed-forward part of one layer.
public sealed interface FeedForwardSpec {
    /// One SwiGLU.
    ///
    /// @param columns columns of its inner activation.
    record Dense(int columns) implements FeedForwardSpec {}

    /// Routed experts, each a SwiGLU, and at most one shared expert.
    ///
    /// @param gate          how the gate chooses.
    /// @param expertColumns columns of a routed expert's inner activation.
    /// @param sharedColumns of the shared expert's (several shared experts are one wide one); 0 without.
    /// @param activation    of routed experts.
    record Moe(GateShape gate, int expertColumns, int sharedColumns, Activation activation) implements FeedForwardSpec {
        /// Experts with SwiGLU.
        public Moe(GateShape gate, int expertColumns, int sharedColumns) {
            this(gate, expertColumns, sharedColumns, new Activation.SwiGlu());
        }
    }
}
