package org.bergfried.worker.expert;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.bergfried.contract.ClusterException;
import org.jspecify.annotations.Nullable;

/// A running installation of experts.
public final class Installation {
    private final int total;
    private final AtomicInteger installed = new AtomicInteger();
    private final AtomicReference<@Nullable ClusterException> failure = new AtomicReference<>();
    private final CompletableFuture<Void> done = new CompletableFuture<>();
    private volatile boolean cancelled;

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

    /// Completes when each is ready or has failed; exceptionally with the first `ClusterException` if one has. The
    /// others are in memory.
    public CompletableFuture<Void> done() {
        return done;
    }

    /// Leaves out what has not begun.
    public void cancel() {
        cancelled = true;
    }

    boolean cancelled() {
        return cancelled;
    }

    void advance() {
        installed.incrementAndGet();
    }

    void fail(ClusterException why) {
        failure.compareAndSet(null, why);
    }

    void finish() {
        ClusterException first = failure.get();
        if (first == null) {
            done.complete(null);
        } else {
            done.completeExceptionally(first);
        }
    }
}
