package org.bergfried.router.failover;

import org.bergfried.contract.Clock;
import org.bergfried.contract.cluster.GenerationStore;
import org.bergfried.router.home.HomeLoads;
import org.bergfried.router.meter.RouterMeters;

/// What generations work with.
///
/// @param ended hears of each generation that is over.
record Workplace(
        GenerationStore store,
        AttemptCalls calls,
        HomeLoads loads,
        RouterMeters meters,
        Clock clock,
        java.util.function.Consumer<Generation> ended) {
    void over(Generation generation) {
        ended.accept(generation);
    }
}
