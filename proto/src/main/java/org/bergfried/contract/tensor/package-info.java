/// The frames of the step protocol: how rows of activations and sums travel between workers.
///
/// Called by a worker's `api`, `client`, `dispatch` and `expert`. Must not know models, kernels or the network.
@NullMarked
package org.bergfried.contract.tensor;

import org.jspecify.annotations.NullMarked;
