package org.bergfried.ops.verify.planted.router;

import org.bergfried.ops.verify.planted.worker.KnowsTheRouter;

/// Breaks: a router that knows the worker, in a cycle of packages.
public final class KnowsTheWorker {
    KnowsTheRouter worker = new KnowsTheRouter();
}
