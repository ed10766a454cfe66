/// The engine put together: model, backend, cache, trunk, experts and batch, with the memory that they take.
///
/// Called by WorkerMain, api and the tools. Must not know requests' wire forms, configuration files or the cluster.
@NullMarked
package org.bergfried.worker.engine;

import org.jspecify.annotations.NullMarked;
