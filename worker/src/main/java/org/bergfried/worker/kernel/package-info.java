/// The backends: one function, bit for bit (ARITHMETIC.md), on different hardware.
///
/// Called by `trunk` and `expert`. Must not know models, sequences, files or the network.
@NullMarked
package org.bergfried.worker.kernel;

import org.jspecify.annotations.NullMarked;
