package org.bergfried.worker.expert;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

/// A running installation of experts.
public final class Installation {
    private final int total;
    private final AtomicInteger installed = new AtomicInteger();
    private final CompletableFuture<Void> done = new CompletableFuture<>();

    Installation(int total) {
        this.total = total;
    }

    /// Experts to install.
    public int total() {
        return total;
    }

    /// Experts that are ready so far.
    public int installed() {
        return installed.get();
    }

    /// Completes when all are ready, or exceptionally with the `ClusterException` that stopped it; what was installed
    /// before stays.
    public CompletableFuture<Void> done() {
        return done;
    }

    void advance() {
        installed.incrementAndGet();
    }
}
