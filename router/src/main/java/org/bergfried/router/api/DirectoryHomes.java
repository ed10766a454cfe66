package org.bergfried.router.api;

import java.util.Optional;
import java.util.function.Predicate;
import org.bergfried.contract.cluster.Directory;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.router.failover.HomeSource;
import org.bergfried.router.home.HomeChoice;
import org.bergfried.router.home.HomeLoads;

/// The homes of one generation, from the directory.
record DirectoryHomes(Directory directory, HomeLoads loads, String modelDigest, String numericsId, long affinityKey)
        implements HomeSource {
    @Override
    public Optional<WorkerAnnouncement> next(Predicate<WorkerAnnouncement> allowed) {
        var candidates = HomeChoice.candidates(directory.workers(), modelDigest, numericsId).stream()
                .filter(allowed)
                .toList();
        return HomeChoice.choose(candidates, affinityKey, loads::of);
    }

    @Override
    public boolean lists(WorkerAnnouncement home) {
        return directory.workers().stream()
                .anyMatch(worker -> worker.id().equals(home.id()) && worker.startNumber() == home.startNumber());
    }
}
