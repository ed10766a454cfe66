package org.bergfried.worker.batch;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.trunk.StepRunner;
import org.jspecify.annotations.Nullable;

/// Continuous batching on a thread of its own, the step loop: any number of sequences go through a [StepRunner]
/// together, and each hears of its own tokens by its listener.
///
/// What a sequence draws depends on its request only: not on its neighbours, chunks, preemptions or readers. A reader
/// that falls behind by the outbox pauses its own sequence; after `stalledMax` that is cancelled.
public final class Batcher implements AutoCloseable {
    private static final long IDLE_NANOS = TimeUnit.MILLISECONDS.toNanos(50); // how late a deadline is noticed

    private final Batch batch;
    private final Thread loop;
    private final CountDownLatch drained = new CountDownLatch(1);
    private volatile boolean draining;
    private volatile boolean closed;
    private volatile @Nullable ClusterException failure;

    /// Starts the loop.
    ///
    /// @param runner runs the steps; nobody else may use it.
    /// @param pages  the cache that the runner reads.
    /// @param limits bounds.
    /// @param clock  for deadlines.
    /// @param onBug  hears of an exception that ended the loop: the process should log it and exit.
    public Batcher(
            StepRunner runner, Pages pages, BatchLimits limits, Clock clock, Thread.UncaughtExceptionHandler onBug) {
        batch = new Batch(runner, pages, limits, clock);
        loop = Thread.ofPlatform()
                .name("step-loop")
                .daemon(true)
                .uncaughtExceptionHandler(onBug)
                .start(this::run);
    }

    /// Takes a sequence in.
    ///
    /// @throws ClusterException QUEUE_FULL, CONTEXT_TOO_LONG or DRAINING; then the listener hears nothing.
    public Handle submit(SequenceRequest request, SequenceListener listener) {
        Sequence sequence = batch.submit(request, this::wake);
        Handle handle = () -> {
            sequence.cancel();
            wake();
        };
        Thread.ofVirtual().name("deliver-" + request.id()).start(() -> deliver(sequence, listener, handle));
        wake();
        return handle;
    }

    /// What the batch looked like after its last turn. It turns at least about 20 times a second.
    public BatchLoad load() {
        return batch.load();
    }

    /// Takes nothing new, fails what has not begun, and lets the rest run.
    public void drain() {
        batch.drain();
        draining = true;
        wake();
    }

    /// Waits until a drained batch is empty; false if that takes longer.
    public boolean awaitDrained(Duration longest) throws InterruptedException {
        return drained.await(longest.toNanos(), TimeUnit.NANOSECONDS);
    }

    /// Ends the loop after the step that runs, and all sequences with an error.
    public void fail(ClusterException why) {
        failure = why;
        wake();
    }

    /// Ends the loop after the step that runs, and all sequences with DRAINING.
    @Override
    public void close() {
        closed = true;
        wake();
        try {
            loop.join();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /// A running sequence.
    @FunctionalInterface
    public interface Handle {
        /// Ends the sequence; its pages are free within a step. Harmless when it has ended.
        void cancel();
    }

    private void run() {
        try {
            while (!closed && failure == null) {
                boolean ran = batch.turn();
                if (draining && batch.isEmpty()) {
                    drained.countDown();
                }
                if (!ran) {
                    LockSupport.parkNanos(this, IDLE_NANOS);
                }
            }
        } finally {
            batch.failAll(whyEnded());
            drained.countDown();
        }
    }

    private ClusterException whyEnded() {
        ClusterException known = failure;
        if (known != null) {
            return known;
        }
        return closed
                ? new ClusterException(ErrorReason.DRAINING, "this worker has been shut down")
                : new ClusterException(ErrorReason.INTERNAL, "the engine has failed; see the worker's log");
    }

    private void wake() {
        LockSupport.unpark(loop);
    }

    private static void deliver(Sequence sequence, SequenceListener listener, Handle handle) {
        try {
            sequence.outbox().deliver(listener, sequence.request().knownIds().length);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } finally {
            handle.cancel();
        }
    }
}
