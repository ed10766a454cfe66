package org.bergfried.ops.verify.planted.router.api;

import io.grpc.Status;

/// Allowed: gRPC at an edge.
public final class Serves {
    Status status = Status.OK;
}
