/// The trunk: embedding, attention, gate, shared experts and head for the rows of one step.
///
/// Called by batch and by the tools. Must not know requests, sampling, files or the network: it reads weights from
/// `model`, computes on a `kernel.Backend` and hands rows to a `dispatch.Dispatcher`.
@NullMarked
package org.bergfried.worker.trunk;

import org.jspecify.annotations.NullMarked;
