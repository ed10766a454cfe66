package org.bergfried.router.placement;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.contract.cluster.WorkerAnnouncement.Role;
import org.bergfried.router.placement.live.Takeover;

/// Decides when one model gets its next even placement: the first when the expected workers are ready, or ten
/// seconds after the first of them; a further one when the ready workers have changed and then stayed the same for
/// a second. As soon as a placement of another maker is published, it decides nothing any more. Times are
/// nanoseconds and passed in.
final class FirstPlacement {
    private static final long PATIENCE_NANOS = 10_000_000_000L;
    private static final long QUIET_NANOS = 1_000_000_000L;

    private final String modelDigest;
    private final int expectedWorkers;
    private List<String> lastIds = List.of();
    private long changedAt;
    private long firstReadyAt = Long.MAX_VALUE;

    FirstPlacement(String modelDigest, int expectedWorkers) {
        this.modelDigest = modelDigest;
        this.expectedWorkers = expectedWorkers;
    }

    /// What to publish now, if anything.
    ///
    /// @param workers all living workers.
    /// @param current the newest placement of the model.
    Optional<Placement> decide(List<WorkerAnnouncement> workers, Optional<Placement> current, long now) {
        List<WorkerAnnouncement> hosts = hosts(workers);
        List<String> ids = hosts.stream().map(WorkerAnnouncement::id).sorted().toList();
        if (!ids.equals(lastIds)) {
            lastIds = ids;
            changedAt = now;
        }
        if (ids.isEmpty()) {
            return Optional.empty(); // an empty placement helps nobody; who comes back finds the old one
        }
        firstReadyAt = Math.min(firstReadyAt, now);
        boolean isDue = current.map(placement -> isReplaced(placement, now)).orElse(isFirstDue(now));
        if (!isDue) {
            return Optional.empty();
        }
        long epoch = current.map(Placement::epoch).orElse(0L) + 1;
        String planId = Takeover.automaticPlan(epoch + "-" + Integer.toHexString(ids.hashCode()));
        return Optional.of(
                Placement.even(modelDigest, epoch, planId, ids, hosts.getFirst().facts()));
    }

    /// When to decide again although nothing happened; Long.MAX_VALUE for never.
    long wakeAtNanos(Optional<Placement> current, long now) {
        if (lastIds.isEmpty()) {
            return Long.MAX_VALUE;
        }
        if (current.isEmpty()) {
            return Math.max(now, firstReadyAt + PATIENCE_NANOS);
        }
        return isOurs(current.get()) && !current.get().workerIds().equals(lastIds)
                ? Math.max(now, changedAt + QUIET_NANOS)
                : Long.MAX_VALUE;
    }

    private boolean isFirstDue(long now) {
        return lastIds.size() >= expectedWorkers || now - firstReadyAt >= PATIENCE_NANOS;
    }

    private boolean isReplaced(Placement current, long now) {
        return isOurs(current) && !current.workerIds().equals(lastIds) && now - changedAt >= QUIET_NANOS;
    }

    private static boolean isOurs(Placement placement) {
        return Takeover.isAutomatic(placement);
    }

    /// The ready expert workers of the model, all of one arithmetic: the most common one, because replicas and
    /// neighbours must compute the same bits.
    private List<WorkerAnnouncement> hosts(List<WorkerAnnouncement> workers) {
        Map<String, List<WorkerAnnouncement>> byNumerics = workers.stream()
                .filter(worker ->
                        worker.serves(Role.EXPERT) && worker.modelDigest().equals(modelDigest))
                .collect(Collectors.groupingBy(WorkerAnnouncement::numericsId));
        return byNumerics.entrySet().stream()
                .max(Comparator.comparingInt((Map.Entry<String, List<WorkerAnnouncement>> entry) ->
                                entry.getValue().size())
                        .thenComparing(Map.Entry.comparingByKey()))
                .map(Map.Entry::getValue)
                .orElse(List.of());
    }
}
