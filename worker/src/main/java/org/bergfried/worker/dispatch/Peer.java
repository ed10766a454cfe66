package org.bergfried.worker.dispatch;

import java.util.function.Consumer;
import org.bergfried.contract.tensor.DispatchFrame;

/// A way to one expert host, for one class of dispatches. Results and the end of the way arrive in the [Inbox]. The
/// trunk's thread calls it.
public interface Peer {
    /// The host's worker id.
    String workerId();

    /// Most rows that may be on the way at a time, and so in one frame.
    int rowsMax();

    /// Rows that may be sent now.
    int room();

    /// Sends a frame without blocking.
    ///
    /// @param header what the frame says; its rows are at most [#room()].
    /// @param fill   writes the frame's sections, during this call.
    /// @return false if the way has ended: no result will come.
    boolean send(DispatchFrame.Header header, Consumer<DispatchFrame> fill);

    /// Ends the way because the host does not answer as it must. A new one is sought in the background.
    void reset(String why);
}
