/// Model files: mapped, bounds-checked tensors, whatever the format.
///
/// Called by `model` and the tools. Must not know models, kernels or the network.
@NullMarked
package org.bergfried.worker.weights;

import org.jspecify.annotations.NullMarked;
