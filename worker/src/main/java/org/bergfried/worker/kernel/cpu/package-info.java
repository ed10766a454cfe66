/// What the CPU backends share: host memory, re-laid weights, validation, the pool of compute threads, and one
/// backend over exchangeable single-threaded kernels.
///
/// Called by `kernel.choice`, the kernels and tests. Must not know models, sequences, files or the network.
@NullMarked
package org.bergfried.worker.kernel.cpu;

import org.jspecify.annotations.NullMarked;
