/// Which backend a worker runs on, by its name in the configuration.
///
/// Called by the worker's main class and by tools. Must not know models, sequences, files or the network.
@NullMarked
package org.bergfried.worker.kernel.choice;

import org.jspecify.annotations.NullMarked;
