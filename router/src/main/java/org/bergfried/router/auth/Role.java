package org.bergfried.router.auth;

/// What a caller may do.
public enum Role {
    /// Ask models.
    CALLER,
    /// See the state of the cluster.
    VIEWER,
    /// Change the state of the cluster.
    OPERATOR
}
