package org.bergfried.router.home;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bergfried.contract.Clock;

/// How many attempts of this router run at each home, and how many sessions had it as home lately.
public final class HomeLoads {
    private static final long SESSION_NANOS = 600_000_000_000L;
    private static final int SESSIONS_MAX = 100_000; // beyond, the count stands still for a while

    private final Clock clock;
    private final ConcurrentHashMap<Long, Visit> sessions = new ConcurrentHashMap<>(); // by affinity key
    private final ConcurrentHashMap<String, Integer> counts = new ConcurrentHashMap<>();

    private record Visit(String workerId, long nanos) {}

    /// No attempt yet.
    public HomeLoads(Clock clock) {
        this.clock = clock;
    }

    /// A home was chosen for a session.
    public void chosen(String workerId, long affinityKey) {
        if (sessions.size() < SESSIONS_MAX) {
            sessions.put(affinityKey, new Visit(workerId, clock.nanoTime()));
        }
    }

    /// Sessions that had each worker as home in the last ten minutes.
    public Map<String, Integer> sessions() {
        long now = clock.nanoTime();
        sessions.values().removeIf(visit -> now - visit.nanos > SESSION_NANOS);
        var counts = new HashMap<String, Integer>();
        sessions.values().forEach(visit -> counts.merge(visit.workerId, 1, Integer::sum));
        return counts;
    }

    /// An attempt begins.
    public void begin(String workerId) {
        counts.merge(workerId, 1, Integer::sum);
    }

    /// An attempt is over.
    public void end(String workerId) {
        counts.computeIfPresent(workerId, (id, count) -> count == 1 ? null : count - 1);
    }

    /// Attempts that run at a home.
    public int of(String workerId) {
        return counts.getOrDefault(workerId, 0);
    }
}
