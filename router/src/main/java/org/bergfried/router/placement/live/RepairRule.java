package org.bergfried.router.placement.live;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.bergfried.contract.cluster.ExpertOnWorker;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.cluster.PlacementRules;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.contract.cluster.WorkerAnnouncement.State;

/// Decides when a model's placement is repaired: when a worker is lost, an expert is unplaced, a drained worker still
/// hosts something or a worker is back that was lost with experts pinned to it, and that has stayed the same for a
/// while. A host that is starting again is waited for. Pins that no plan has obeyed yet wait for the operator's next
/// plan. Times are nanoseconds and passed in.
final class RepairRule {
    private final long quietNanos;
    private final Set<ExpertOnWorker> obeyed = new HashSet<>(); // pins
    private final Set<ExpertOnWorker> owed = new HashSet<>(); // pins that were obeyed until their worker was lost
    private Set<String> lastTrouble = Set.of();
    private long notBefore = Long.MAX_VALUE;

    RepairRule(long quietNanos) {
        this.quietNanos = quietNanos;
    }

    /// Whether to repair now. After each true, the next comes a quiet time later at the earliest.
    boolean isDue(List<WorkerAnnouncement> workers, Optional<Placement> placement, PlacementRules rules, long now) {
        Set<String> ready = workers.stream()
                .filter(worker -> worker.serves(WorkerAnnouncement.Role.EXPERT))
                .map(WorkerAnnouncement::id)
                .collect(Collectors.toSet());
        placement.ifPresent(known -> followPins(ready, known, rules));
        Set<String> trouble =
                placement.map(known -> trouble(ready, known, rules)).orElse(Set.of());
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

    private void followPins(Set<String> ready, Placement placement, PlacementRules rules) {
        obeyed.retainAll(rules.pins());
        owed.retainAll(rules.pins());
        for (ExpertOnWorker pin : rules.pins()) {
            boolean isReady = ready.contains(pin.workerId());
            if (!isReady && obeyed.contains(pin)) {
                owed.add(pin);
            } else if (isPlaced(pin, placement)) {
                obeyed.add(pin);
                owed.remove(pin);
            } else if (isReady && !owed.contains(pin)) {
                obeyed.remove(pin); // it was drained, not lost
            }
        }
    }

    private static boolean isPlaced(ExpertOnWorker pin, Placement placement) {
        return placement.replicas(pin.layer(), pin.expert()).contains(pin.workerId());
    }

    private Set<String> trouble(Set<String> ready, Placement placement, PlacementRules rules) {
        var trouble = new TreeSet<String>();
        for (String host : placement.workerIds()) {
            if (!ready.contains(host)) {
                trouble.add("lost " + host);
            } else if (rules.draining().contains(host)) {
                trouble.add("drained " + host);
            }
        }
        for (ExpertOnWorker pin : owed) {
            if (ready.contains(pin.workerId())
                    && !rules.draining().contains(pin.workerId())
                    && !isPlaced(pin, placement)) {
                trouble.add("back " + pin.workerId());
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
