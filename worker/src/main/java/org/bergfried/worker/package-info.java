/// The engine process: models, weights, kernels, KV cache, batching, dispatch, expert hosting.
@NullMarked
package org.bergfried.worker;

import org.jspecify.annotations.NullMarked;
