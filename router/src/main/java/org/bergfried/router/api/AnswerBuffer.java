package org.bergfried.router.api;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.jspecify.annotations.Nullable;

/// The events that a client has not read yet. The writer never waits: a client that lets too much pile up is given
/// up.
final class AnswerBuffer {
    private static final int EVENT_BYTES = 96; // what an event costs beside its text, roughly

    private final long bytesMax;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<AnswerEvent> events = new ArrayDeque<>();
    private long bytes;
    private boolean isEnded;
    private @Nullable ClusterException failure;

    AnswerBuffer(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    /// Adds an event.
    ///
    /// @return whether there was room; false when the client is given up.
    boolean add(AnswerEvent event) {
        lock.lock();
        try {
            if (isEnded) {
                return false;
            }
            bytes += weight(event);
            if (bytes > bytesMax) {
                isEnded = true;
                failure = new ClusterException(
                        ErrorReason.CANCELLED,
                        "the client reads too slowly: more than " + bytesMax
                                + " bytes wait for it; the generation can be resumed");
                changed.signalAll();
                return false;
            }
            events.add(event);
            isEnded = event instanceof AnswerEvent.Finished;
            changed.signalAll();
            return true;
        } finally {
            lock.unlock();
        }
    }

    void fail(ClusterException error) {
        lock.lock();
        try {
            if (!isEnded) {
                isEnded = true;
                failure = error;
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /// The next event; empty when none came in time. After the last one the failure is thrown, if there is one.
    Optional<AnswerEvent> next(Duration timeout) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            long left = timeout.toNanos();
            while (events.isEmpty() && !isEnded && left > 0) {
                left = changed.awaitNanos(left);
            }
            AnswerEvent event = events.poll();
            if (event != null) {
                bytes -= weight(event);
                return Optional.of(event);
            }
            if (failure != null) {
                throw failure;
            }
            return Optional.empty();
        } finally {
            lock.unlock();
        }
    }

    private static long weight(AnswerEvent event) {
        return switch (event) {
            case AnswerEvent.More(var delta) ->
                EVENT_BYTES
                        + 2L * (delta.reasoning().length() + delta.content().length())
                        + delta.toolCalls().stream()
                                .mapToLong(piece ->
                                        EVENT_BYTES + 2L * piece.arguments().length())
                                .sum();
            case AnswerEvent.Started started -> EVENT_BYTES;
            case AnswerEvent.Finished finished -> EVENT_BYTES;
        };
    }
}
