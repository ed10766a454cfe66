/// Drawing the next token from logits, always on the CPU in double precision.
///
/// Called by batch. Must not know everything else.
@NullMarked
package org.bergfried.worker.sample;

import org.jspecify.annotations.NullMarked;
