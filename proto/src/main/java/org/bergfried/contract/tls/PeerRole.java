package org.bergfried.contract.tls;

/// What a peer is, as the names in its certificate tell; see [TlsConfig].
public enum PeerRole {
    /// One of `routerNames`.
    ROUTER,
    /// One of `workerNames`.
    WORKER
}
