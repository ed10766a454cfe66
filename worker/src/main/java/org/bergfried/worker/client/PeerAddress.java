package org.bergfried.worker.client;

/// A worker to connect to.
///
/// @param workerId    its id; also the name that its certificate must have.
/// @param address     host:port of its gRPC server.
/// @param startNumber which start of it; another process at this address is not spoken to.
public record PeerAddress(String workerId, String address, long startNumber) {}
