package org.bergfried.router.api;

import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.jspecify.annotations.Nullable;

/// Lets the doors open before the cluster is joined, and close before the generations end: they ask here for the
/// {@link Inference} of the moment.
public final class InferenceGate {
    private volatile @Nullable Inference inference;
    private volatile boolean isReady;
    private volatile boolean isDraining;

    /// The cluster is joined.
    public void open(Inference joined) {
        inference = joined;
    }

    /// Whether a token can be produced, as was last seen.
    public void setReady(boolean ready) {
        isReady = ready;
    }

    /// Nothing new is taken from now on.
    public void drain() {
        isDraining = true;
    }

    /// Whether a token can be produced and is offered.
    public boolean isReady() {
        return isReady && !isDraining;
    }

    /// What is to be called now.
    ///
    /// @throws ClusterException while the router starts or ends.
    public Inference inference() {
        if (isDraining) {
            throw new ClusterException(ErrorReason.DRAINING, "the router is shutting down; ask another router");
        }
        Inference joined = inference;
        if (joined == null) {
            throw new ClusterException(
                    ErrorReason.WORKER_LOST, "the router has not joined the cluster yet; ask again in a second");
        }
        return joined;
    }
}
