package org.bergfried.worker.machine;

import java.util.List;

/// Where a compute thread runs. Called by the thread itself.
@FunctionalInterface
public interface Pinning {
    /// Threads run where the system likes.
    Pinning NONE = slot -> {};

    /// Binds the calling thread for good.
    ///
    /// @param slot its number in the pool, from 1; the callers of the pool, slot 0, are never bound, because
    ///     threads that they start would be too.
    void pin(int slot);

    /// Binds each thread to one of the processors that the process may use, and to no other; the first of them is
    /// left to the callers.
    static Pinning within(Processors processors) {
        List<Integer> allowed = processors.allowed();
        return allowed.size() < 2 ? NONE : slot -> Affinity.bind(allowed.get(slot % allowed.size()));
    }
}
