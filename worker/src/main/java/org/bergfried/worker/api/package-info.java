/// The worker's face: EngineService for routers, ExpertService for peers, health and metrics.
///
/// Called by WorkerMain. Must not know kernels, models' files or how a step is computed.
@NullMarked
package org.bergfried.worker.api;

import org.jspecify.annotations.NullMarked;
