/// The kernels in plain Java, as close to the text of ARITHMETIC.md as code can be. They are the oracle: every other
/// kernel must equal them bit for bit.
///
/// Called by `kernel.cpu` through `Kernels`. Must not know threads, files or the network.
@NullMarked
package org.bergfried.worker.kernel.scalar;

import org.jspecify.annotations.NullMarked;
