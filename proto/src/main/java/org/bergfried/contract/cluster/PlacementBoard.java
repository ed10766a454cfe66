package org.bergfried.contract.cluster;

import java.util.Optional;
import java.util.function.Consumer;

/// The newest placement of each model. It is soft state: hosts compute only experts that they have, so a stale
/// view costs a retry and never a wrong answer.
public interface PlacementBoard {
    /// The newest placement known to this member, from memory.
    Optional<Placement> current(String modelDigest);

    /// Publishes a placement, compare-and-set: it wins only if its epoch is higher than the published one.
    /// Publishing the same plan (epoch and planId) again is true; an equal epoch with another planId and a lower
    /// epoch are refused.
    ///
    /// @return whether it is the published placement now.
    /// @throws org.bergfried.contract.ClusterException if no answer comes for seconds.
    boolean publish(Placement placement);

    /// Publishes a placement that was made from another one: it wins only if that one is still the published one.
    /// Epochs between the two may be left out. Publishing the same plan (epoch and planId) again is true.
    ///
    /// @param previous what it was made from; empty if there was none.
    /// @return whether it is the published placement now.
    /// @throws org.bergfried.contract.ClusterException if no answer comes for seconds.
    boolean publish(Placement placement, Optional<Placement> previous);

    /// Calls with each placement that becomes current, on a thread of the cluster: it must be short and must not
    /// block. Epochs of a model only grow from call to call.
    Registration onChange(Consumer<Placement> listener);
}
