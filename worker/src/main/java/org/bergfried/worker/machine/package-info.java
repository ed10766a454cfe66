/// What Linux is told, and asked, about this process: the processors that it may use, and the pages of its files.
///
/// Called by kernel, weights and expert. Must not know models, kernels, sequences or the network. On other systems it
/// does nothing and says so.
@NullMarked
package org.bergfried.worker.machine;

import org.jspecify.annotations.NullMarked;
