/// Model files
///
/// Called by  mapped, bounds-checked readers of safetensors and GGUF.. Must not know model:models, kernels or the
/// network.
@NullMarked
package org.bergfried.worker.weights;

import org.jspecify.annotations.NullMarked;
