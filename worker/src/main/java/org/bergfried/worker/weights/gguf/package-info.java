/// GGUF files: metadata and tensors.
///
/// Called by `model`. Must not know models, kernels or the network.
@NullMarked
package org.bergfried.worker.weights.gguf;

import org.jspecify.annotations.NullMarked;
