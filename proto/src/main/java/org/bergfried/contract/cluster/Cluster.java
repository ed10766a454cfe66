package org.bergfried.contract.cluster;

/// A member's view of what the cluster shares. Nothing here is a lock, and no call that is meant for a token's
/// path waits for another member: {@link Directory#workers()} and {@link PlacementBoard#current} answer from
/// memory.
public interface Cluster extends AutoCloseable {
    /// Which workers live.
    Directory directory();

    /// Where experts are placed.
    PlacementBoard placements();

    /// What operators have said about placement.
    RuleBoard rules();

    /// Which generations can be resumed.
    GenerationStore generations();

    /// How many living members are routers, this one included: planning needs a majority of the configured
    /// number.
    int livingRouters();

    /// Leaves the cluster; this member's workers vanish at once.
    @Override
    void close();
}
