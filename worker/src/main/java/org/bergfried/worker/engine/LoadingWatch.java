package org.bergfried.worker.engine;

import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.bergfried.contract.Clock;

/// Whether a start makes progress. Reading, hashing and laying out weights may take many minutes and uses the loading
/// thread's processor time all along; a thread that waits for a disk that does not answer, or for a lock, uses none.
/// Asked by probes, so it needs no thread of its own.
public final class LoadingWatch implements LoadProgress {
    private static final long LEAST_NANOS = Duration.ofMillis(10).toNanos(); // of processor time, to count as progress

    private final LongSupplier processorNanos;
    private final Clock clock;
    private final Duration patience;
    private String phase; // guarded by this
    private long bytesDone; // of the phase; guarded by this
    private long bytesTotal; // of the phase; guarded by this
    private long nanosSeen; // processor time at the last progress; guarded by this
    private long progressNanos; // when that was; guarded by this
    private boolean done; // guarded by this

    /// Begins to watch.
    ///
    /// @param phase          what is being done first, for messages.
    /// @param processorNanos processor time that the loading thread has used.
    /// @param patience       how long it may use none.
    public LoadingWatch(String phase, LongSupplier processorNanos, Clock clock, Duration patience) {
        this.phase = phase;
        this.processorNanos = processorNanos;
        this.clock = clock;
        this.patience = patience;
        nanosSeen = processorNanos.getAsLong();
        progressNanos = clock.nanoTime();
    }

    @Override
    public synchronized void phase(String what, long bytes) {
        phase = what;
        bytesDone = 0;
        bytesTotal = bytes;
        progressNanos = clock.nanoTime();
    }

    @Override
    public synchronized void add(long bytes) {
        bytesDone += bytes;
    }

    /// What is being done, and how far it is; empty when everything is loaded.
    public synchronized Optional<String> progress() {
        if (done) {
            return Optional.empty();
        }
        String far = ": " + (bytesDone >> 20) + " of " + (bytesTotal >> 20) + " MiB";
        return Optional.of(bytesTotal == 0 ? phase : phase + far);
    }

    /// Everything is loaded.
    public synchronized void done() {
        done = true;
    }

    /// What does not go on, and for how long; empty if all is well.
    public synchronized Optional<String> stuck() {
        long now = clock.nanoTime();
        long used = processorNanos.getAsLong();
        if (done || used - nanosSeen >= LEAST_NANOS) {
            nanosSeen = used;
            progressNanos = now;
        }
        Duration still = Duration.ofNanos(now - progressNanos);
        return still.compareTo(patience) <= 0
                ? Optional.empty()
                : Optional.of("no progress for " + still.toSeconds() + " s while " + phase);
    }
}
