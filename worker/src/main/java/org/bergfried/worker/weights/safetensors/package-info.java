/// Safetensors files: one file, or a directory of shards with an index.
///
/// Called by `model`. Must not know models, kernels or the network.
@NullMarked
package org.bergfried.worker.weights.safetensors;

import org.jspecify.annotations.NullMarked;
