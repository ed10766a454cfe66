/// Which experts a worker has in memory, changed by order of routers while rows are computed: install, drain, evict,
/// fenced by (epoch, plan), and what workers tell each other for it.
///
/// Called by api and member. Must not know gRPC, sequences or kernels.
@NullMarked
package org.bergfried.worker.hosting;

import org.jspecify.annotations.NullMarked;
