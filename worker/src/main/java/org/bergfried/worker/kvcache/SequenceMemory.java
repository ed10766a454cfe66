package org.bergfried.worker.kvcache;

/// The pages of one sequence. Owned by the step loop's thread.
public interface SequenceMemory extends AutoCloseable {
    /// Makes room for `positions` positions in all; false, with nothing taken, if the cache has not enough free
    /// pages.
    boolean reserve(int positions);

    /// Positions that the reserved pages hold.
    int capacity();

    /// Page numbers in order of positions; valid until the next reserve or close.
    int[] pages();

    /// Gives all pages back at once. The memory can be reserved anew.
    @Override
    void close();
}
