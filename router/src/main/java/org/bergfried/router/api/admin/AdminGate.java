package org.bergfried.router.api.admin;

import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.jspecify.annotations.Nullable;

/// Lets the doors open before the cluster is joined: they ask here for the {@link Administration} of the moment.
public final class AdminGate {
    private volatile @Nullable Administration administration;
    private volatile boolean isDraining;

    /// Closed.
    public AdminGate() {}

    /// The cluster is joined.
    public void open(Administration joined) {
        administration = joined;
    }

    /// Streams end soon, and nothing new is taken.
    public void drain() {
        isDraining = true;
    }

    /// Whether the router goes on serving.
    public boolean isOpen() {
        return !isDraining;
    }

    /// What is to be called now.
    ///
    /// @throws ClusterException while the router starts or ends.
    public Administration administration() {
        Administration joined = administration;
        if (isDraining) {
            throw new ClusterException(ErrorReason.DRAINING, "the router is shutting down; ask another router");
        }
        if (joined == null) {
            throw new ClusterException(
                    ErrorReason.WORKER_LOST, "the router has not joined the cluster yet; ask again in a second");
        }
        return joined;
    }
}
