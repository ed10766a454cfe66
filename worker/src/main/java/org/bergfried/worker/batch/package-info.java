/// Continuous batching: which rows make the next step, and what becomes of each sequence.
///
/// [StepPlanner] decides, [Batch] carries out one step and knows no thread, [Batcher] turns it on a thread of its
/// own.
/// Called by api, engine and the tools. Must not know kernels, files or the network.
@NullMarked
package org.bergfried.worker.batch;

import org.jspecify.annotations.NullMarked;
