package org.bergfried.worker.batch;

import org.bergfried.worker.kvcache.SequenceMemory;

/// The cache as the batch sees it. Owned by the step loop's thread.
public interface Pages {
    /// The memory of a new sequence, without pages yet.
    SequenceMemory open();

    /// Pages in all.
    int total();

    /// Pages that nobody holds.
    int free();
}
