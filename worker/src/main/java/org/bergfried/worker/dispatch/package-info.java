/// Each row once to every worker that hosts one of its experts, and the sums back.
///
/// Called by trunk. Must not know requests, sampling or how bytes travel.
@NullMarked
package org.bergfried.worker.dispatch;

import org.jspecify.annotations.NullMarked;
