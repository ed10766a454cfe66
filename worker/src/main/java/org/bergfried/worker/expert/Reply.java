package org.bergfried.worker.expert;

import java.lang.foreign.MemorySegment;
import org.bergfried.contract.tensor.ResultFrame;

/// Where the one answer to a dispatch goes. Called by the host's compute thread or by whoever submitted; it must not
/// block, and the memory is the host's again when it returns. The host does not touch the frame any more.
public interface Reply {
    /// The sums.
    ///
    /// @param dispatchId which dispatch.
    /// @param rows       rows.
    /// @param sums       int64 `[rows, columns]`, rule F.
    /// @param poisoned   int32 `[rows]`, 1 where a term was not finite or too large.
    void rows(long dispatchId, int rows, MemorySegment sums, MemorySegment poisoned);

    /// Anything but sums.
    ///
    /// @param outcome    not ROWS.
    /// @param dispatchId which dispatch.
    /// @param epoch      the host's epoch (STALE), else 0.
    /// @param missing    experts (MISSING), else empty.
    void refused(ResultFrame.Outcome outcome, long dispatchId, long epoch, int... missing);
}
