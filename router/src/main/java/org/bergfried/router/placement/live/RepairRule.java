package org.bergfried.router.placement.live;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.cluster.PlacementRules;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.contract.cluster.WorkerAnnouncement.State;

/// Decides when a model's placement is repaired: when a worker is lost, an expert is unplaced or a drained worker still
/// hosts something, and that has stayed the same for a while. A host that is starting again is waited for. Times are
/// nanoseconds and passed in.
final class RepairRule {
    private final long quietNanos;
    private Set<String> lastTrouble = Set.of();
    private long notBefore = Long.MAX_VALUE;

    RepairRule(long quietNanos) {
        this.quietNanos = quietNanos;
    }

    /// Whether to repair now. After each true, the next comes a quiet time later at the earliest.
    boolean isDue(List<WorkerAnnouncement> workers, Optional<Placement> placement, PlacementRules rules, long now) {
        Set<String> trouble =
                placement.map(known -> trouble(workers, known, rules)).orElse(Set.of());
        if (!trouble.equals(lastTrouble)) {
            lastTrouble = trouble;
            notBefore = now + quietNanos;
        }
        if (trouble.isEmpty() || now < notBefore || isStarting(workers, placement)) {
            return false;
        }
        notBefore = now + quietNanos;
        return true;
    }

    private static Set<String> trouble(List<WorkerAnnouncement> workers, Placement placement, PlacementRules rules) {
        Set<String> ready = workers.stream()
                .filter(worker -> worker.serves(WorkerAnnouncement.Role.EXPERT))
                .map(WorkerAnnouncement::id)
                .collect(Collectors.toSet());
        var trouble = new TreeSet<String>();
        for (String host : placement.workerIds()) {
            if (!ready.contains(host)) {
                trouble.add("lost " + host);
            } else if (rules.draining().contains(host)) {
                trouble.add("drained " + host);
            }
        }
        if (placement.replicaTable().stream().anyMatch(List::isEmpty)) {
            trouble.add("unplaced, with the workers " + new TreeSet<>(ready));
        }
        return trouble;
    }

    private static boolean isStarting(List<WorkerAnnouncement> workers, Optional<Placement> placement) {
        return workers.stream()
                .anyMatch(worker -> worker.state() == State.LOADING
                        && placement
                                .map(known -> known.workerIds().contains(worker.id()))
                                .orElse(false));
    }
}
