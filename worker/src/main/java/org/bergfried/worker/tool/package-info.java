/// Tools that show what the engine computes, on the code paths of serving.
///
/// Called by the command line. Must not know kernels, requests' wire forms or the cluster.
@NullMarked
package org.bergfried.worker.tool;

import org.jspecify.annotations.NullMarked;
