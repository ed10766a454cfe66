package org.bergfried.contract.cluster;

import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/// What operators have said about placement, by model, shared by all routers.
public interface RuleBoard {
    /// The newest rules known to this member, from memory; empty ones if nobody has said anything.
    PlacementRules current(String modelDigest);

    /// Changes the rules: reads the newest, changes them and writes them if nobody else did meanwhile, else again.
    ///
    /// @param change gives the new rules for the old; it may be called more than once, and may refuse by throwing.
    /// @return the rules that hold now.
    /// @throws org.bergfried.contract.ClusterException if no answer comes for seconds.
    PlacementRules change(String modelDigest, UnaryOperator<PlacementRules> change);

    /// Calls with all rules that become current, on a thread of the cluster: it must be short and must not block.
    Registration onChange(Consumer<PlacementRules> listener);
}
