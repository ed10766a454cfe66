package org.bergfried.contract.cluster;

/// What a member of the cluster is.
public enum MemberRole {
    /// A router: counted for the planner's majority.
    ROUTER,
    /// A worker.
    WORKER
}
