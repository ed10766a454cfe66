/// The benchmark: the engine on a model, each figure beside what the machine could do or what a peer does on the same
/// file in the same run.
///
/// Called by the command line. It may know the engine's tools and the model's description, and no kernel.
@NullMarked
package org.bergfried.ops.bench;

import org.jspecify.annotations.NullMarked;
