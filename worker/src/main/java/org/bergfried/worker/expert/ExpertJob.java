package org.bergfried.worker.expert;

import org.bergfried.contract.tensor.DispatchFrame;

/// A frame that waits to be computed.
///
/// @param frame         stays untouched until the reply is called.
/// @param deadlineNanos when the trunk stops waiting, on this process's clock.
record ExpertJob(DispatchFrame frame, Reply reply, long deadlineNanos) {
    DispatchFrame.Header header() {
        return frame.header();
    }

    /// Whether both can be one matrix product: cold experts come and go, so such frames are computed alone.
    boolean joins(ExpertJob other) {
        var a = header();
        var b = other.header();
        return a.layer() == b.layer() && a.encoding() == b.encoding() && !a.coldAllowed() && !b.coldAllowed();
    }
}
