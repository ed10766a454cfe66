package org.bergfried.router.home;

import java.util.concurrent.ConcurrentHashMap;

/// How many attempts of this router run at each home.
public final class HomeLoads {
    private final ConcurrentHashMap<String, Integer> counts = new ConcurrentHashMap<>();

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
