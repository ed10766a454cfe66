/// Models: what a family's configuration says, as one record of facts, and which tensors play which part.
///
/// Called by `trunk`, `expert` and the tools. Must not know kernels, sequences or the network.
@NullMarked
package org.bergfried.worker.model;

import org.jspecify.annotations.NullMarked;
