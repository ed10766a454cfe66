package org.bergfried.ops.verify.planted.contract;

import org.bergfried.ops.verify.planted.worker.KnowsTheRouter;

/// Breaks: a contract that knows a process.
public final class KnowsTheWorker {
    KnowsTheRouter worker = new KnowsTheRouter();
}
