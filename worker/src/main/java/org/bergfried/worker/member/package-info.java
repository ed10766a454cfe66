/// The worker as a member of the cluster: what it says of itself, and how it follows the placement.
///
/// Called by WorkerMain. Must not know how shared state is kept, nor sequences, kernels or the network.
@NullMarked
package org.bergfried.worker.member;

import org.jspecify.annotations.NullMarked;
