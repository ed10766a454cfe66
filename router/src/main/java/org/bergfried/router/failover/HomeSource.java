package org.bergfried.router.failover;

import java.util.Optional;
import java.util.function.Predicate;
import org.bergfried.contract.cluster.WorkerAnnouncement;

/// Where a generation finds its next home.
public interface HomeSource {
    /// The best home among those that are ready for the generation's model and allowed.
    Optional<WorkerAnnouncement> next(Predicate<WorkerAnnouncement> allowed);

    /// Whether the cluster still lists this very process.
    boolean lists(WorkerAnnouncement home);
}
