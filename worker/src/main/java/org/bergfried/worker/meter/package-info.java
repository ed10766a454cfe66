/// The worker's meters, all in one file.
///
/// Called by WorkerMain and api. Must not know how the numbers come about.
@NullMarked
package org.bergfried.worker.meter;

import org.jspecify.annotations.NullMarked;
