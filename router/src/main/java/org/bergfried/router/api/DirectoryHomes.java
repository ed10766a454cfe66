package org.bergfried.router.api;

import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.bergfried.contract.cluster.Directory;
import org.bergfried.contract.cluster.RuleBoard;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.router.failover.HomeSource;
import org.bergfried.router.home.HomeChoice;
import org.bergfried.router.home.HomeLoads;

/// The homes of one generation, from the directory. Workers that are being drained are avoided, unless there is no
/// other.
record DirectoryHomes(
        Directory directory, RuleBoard rules, HomeLoads loads, String modelDigest, String numericsId, long affinityKey)
        implements HomeSource {
    @Override
    public Optional<WorkerAnnouncement> next(Predicate<WorkerAnnouncement> allowed) {
        var candidates = HomeChoice.candidates(directory.workers(), modelDigest, numericsId).stream()
                .filter(allowed)
                .toList();
        Set<String> draining = rules.current(modelDigest).draining();
        var staying = candidates.stream()
                .filter(worker -> !draining.contains(worker.id()))
                .toList();
        var home = HomeChoice.choose(staying.isEmpty() ? candidates : staying, affinityKey, loads::of);
        home.ifPresent(chosen -> loads.chosen(chosen.id(), affinityKey));
        return home;
    }

    @Override
    public boolean lists(WorkerAnnouncement home) {
        return directory.workers().stream()
                .anyMatch(worker -> worker.id().equals(home.id()) && worker.startNumber() == home.startNumber());
    }
}
