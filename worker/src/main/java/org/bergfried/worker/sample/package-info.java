/// Drawing the next token from logits, always on the CPU in double precision.
///
/// Called by batch. Must not know models, sequences, kernels or the network: it sees a row of logits and numbers.
@NullMarked
package org.bergfried.worker.sample;

import org.jspecify.annotations.NullMarked;
