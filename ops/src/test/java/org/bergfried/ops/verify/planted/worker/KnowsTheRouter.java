package org.bergfried.ops.verify.planted.worker;

import java.util.ArrayList;
import java.util.List;
import org.bergfried.ops.verify.planted.router.KnowsTheWorker;

/// Breaks: a worker that knows the router.
public final class KnowsTheRouter {
    List<KnowsTheWorker> routers = new ArrayList<>();

    void add(KnowsTheWorker router) {
        routers.add(router);
    }
}
