package org.bergfried.router.placement;

import org.bergfried.contract.Require;

/// When experts are placed.
///
/// @param expectedWorkers the first placement is published as soon as so many expert workers are ready, 1 to 1024.
/// @param expectedRouters the configured number of routers, 1 to 64; a minority of them does not place.
public record PlacementConfig(int expectedWorkers, int expectedRouters) {
    /// Checks the ranges.
    public PlacementConfig {
        Require.range("expectedWorkers", expectedWorkers, 1, 1024);
        Require.range("expectedRouters", expectedRouters, 1, 64);
    }

    /// One router, one worker.
    public static PlacementConfig defaults() {
        return new PlacementConfig(1, 1);
    }
}
