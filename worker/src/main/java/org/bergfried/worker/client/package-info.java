/// The streams to the expert hosts of other workers, over gRPC.
///
/// Called by the worker's start and by tools. Must not know models, kernels or sequences.
@NullMarked
package org.bergfried.worker.client;

import org.jspecify.annotations.NullMarked;
