package org.bergfried.contract.cluster;

import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;

/// The refusal of an announcement of a process that has been replaced.
final class WorkerReplaced {
    private WorkerReplaced() {}

    static ClusterException exception(WorkerAnnouncement refused, long knownStartNumber) {
        return new ClusterException(
                ErrorReason.FORBIDDEN,
                "worker " + refused.id() + " with start number " + refused.startNumber()
                        + " was replaced by a process with start number " + knownStartNumber + "; stop this one");
    }
}
