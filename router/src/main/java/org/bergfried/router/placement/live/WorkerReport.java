package org.bergfried.router.placement.live;

import java.util.Optional;

/// What a worker said when it was last asked.
///
/// @param workerId the worker.
/// @param startNumber which start of it.
/// @param isAnswering whether it answered the last question; if not, the rest is older.
/// @param home of a trunk worker that has answered once.
/// @param hosting of an expert worker that has answered once.
public record WorkerReport(
        String workerId, long startNumber, boolean isAnswering, Optional<HomeState> home, Optional<Hosting> hosting) {}
