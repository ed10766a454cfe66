package org.bergfried.router.failover;

import java.util.HashMap;
import java.util.Map;
import org.bergfried.contract.cluster.WorkerAnnouncement;

/// Which homes are not tried for a while because an attempt at them just failed. A worker that was started again
/// is another process and has no penalty.
final class HomePenalties {
    private static final long FIRST_NANOS = 250_000_000;
    private static final int DOUBLINGS_MAX = 4; // up to 4 s

    private record Penalty(long startNumber, int count, long untilNanos) {}

    private final Map<String, Penalty> penalties = new HashMap<>();

    void add(WorkerAnnouncement home, long now) {
        Penalty before = penalties.get(home.id());
        int count = before == null || before.startNumber() != home.startNumber() ? 0 : before.count() + 1;
        long until = now + (FIRST_NANOS << Math.min(count, DOUBLINGS_MAX));
        penalties.put(home.id(), new Penalty(home.startNumber(), count, until));
    }

    void forgive(WorkerAnnouncement home) {
        penalties.remove(home.id());
    }

    boolean allows(WorkerAnnouncement home, long now) {
        Penalty penalty = penalties.get(home.id());
        return penalty == null || penalty.startNumber() != home.startNumber() || penalty.untilNanos() <= now;
    }

    /// When the next penalty ends after now; Long.MAX_VALUE if there is none.
    long nextEndNanos(long now) {
        return penalties.values().stream()
                .mapToLong(Penalty::untilNanos)
                .filter(until -> until > now)
                .min()
                .orElse(Long.MAX_VALUE);
    }
}
