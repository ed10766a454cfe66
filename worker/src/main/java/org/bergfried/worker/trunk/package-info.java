/// The trunk
///
/// Called by  embedding, attention, gate, shared experts and head for the rows of one step.. Must not know
/// batch:requests, sampling or the network.
@NullMarked
package org.bergfried.worker.trunk;

import org.jspecify.annotations.NullMarked;
