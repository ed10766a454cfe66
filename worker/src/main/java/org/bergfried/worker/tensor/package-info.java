/// Shapes, element types and buffers: what every part of the engine says about numbers in memory.
///
/// Called by everything in the worker. Must not know models, files, kernels or the network.
@NullMarked
package org.bergfried.worker.tensor;

import org.jspecify.annotations.NullMarked;
