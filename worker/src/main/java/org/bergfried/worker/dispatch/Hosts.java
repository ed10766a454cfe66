package org.bergfried.worker.dispatch;

import java.util.List;
import org.bergfried.contract.cluster.Placement;
import org.jspecify.annotations.Nullable;

/// What the decisions of a dispatch know of the outside, and the only things that they do to it.
interface Hosts {
    /// Ids of all hosts that answer and have the model, this worker among them if it hosts; sorted.
    List<String> ready();

    /// Whether a host is among them.
    boolean isReady(String host);

    /// Most rows that one frame to a host may have.
    int frameRowsMax(String host);

    /// Rows that a host has memory for now.
    int room(String host);

    /// The newest placement.
    @Nullable
    Placement newestPlacement();

    /// Sends a part; false if its host is lost.
    boolean send(Part part, long nowNanos);

    /// Breaks the connection to a host that does not answer, so that nobody waits for it again.
    void suspect(String host, String why);
}
