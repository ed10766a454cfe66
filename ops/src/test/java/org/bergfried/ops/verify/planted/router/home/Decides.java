package org.bergfried.ops.verify.planted.router.home;

import io.grpc.Status;
import java.nio.file.Path;
import java.util.SplittableRandom;

/// Breaks: a decision that knows files, luck and gRPC.
public final class Decides {
    Path file = Path.of("x");
    SplittableRandom random = new SplittableRandom(1);
    Status status = Status.OK;
}
