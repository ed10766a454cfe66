/// Routed experts: which are resident, and computing them for rows that a trunk sends.
///
/// Called by dispatch and api. Must not know sequences, requests or the network.
@NullMarked
package org.bergfried.worker.expert;

import org.jspecify.annotations.NullMarked;
