/// Continuous batching: which rows make the next step, and what becomes of each sequence.
///
/// Called by api and the tools. Must not know kernels, files or the network.
@NullMarked
package org.bergfried.worker.batch;

import org.jspecify.annotations.NullMarked;
