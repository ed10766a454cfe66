package org.bergfried.worker.batch;

import java.lang.foreign.MemorySegment;

/// Sees the logits of every prompt token: for the tools that show what the engine computes. Called by the step loop,
/// so it must be quick. After a preemption positions come again, with the same bits.
@FunctionalInterface
public interface LogitsSink {
    /// Takes the rows of a chunk.
    ///
    /// @param position of the first row in the sequence.
    /// @param count    rows.
    /// @param logits   float32 `[count, vocabularySize]`, valid during the call.
    void accept(int position, int count, MemorySegment logits);
}
