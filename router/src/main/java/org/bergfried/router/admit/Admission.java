package org.bergfried.router.admit;

import java.util.ArrayDeque;
import java.util.Map;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.router.meter.RouterMeters;
import org.jspecify.annotations.Nullable;

/// A bounded number of turns and a bounded queue in front of them, first come first served. Nobody blocks here.
public final class Admission {
    /// When a refused client should ask again.
    private static final int RETRY_AFTER_SECONDS = 1;

    private final AdmitConfig config;
    private final RouterMeters meters;
    private final ArrayDeque<Ticket> waiting = new ArrayDeque<>();
    private int runningCount;

    /// Turns as configured.
    public Admission(AdmitConfig config, RouterMeters meters) {
        this.config = config;
        this.meters = meters;
        meters.watchAdmission(this::runningCount, this::queuedCount);
    }

    /// Asks for a turn.
    ///
    /// @param granted is called once, perhaps before this method returns; it must not block.
    /// @return what is to be closed when the turn is over or no longer wanted.
    /// @throws ClusterException with QUEUE_FULL if all turns are taken and the queue is full.
    public Ticket enter(Runnable granted) {
        var ticket = new Ticket(granted);
        synchronized (this) {
            if (runningCount >= config.runningMax()) {
                if (waiting.size() >= config.queuedMax()) {
                    throw refusal();
                }
                waiting.add(ticket);
                return ticket;
            }
            runningCount++;
            ticket.isGranted = true;
        }
        granted.run();
        return ticket;
    }

    /// Turns that are taken.
    public synchronized int runningCount() {
        return runningCount;
    }

    /// Callers that wait.
    public synchronized int queuedCount() {
        return waiting.size();
    }

    private ClusterException refusal() {
        meters.refused();
        return new ClusterException(
                ErrorReason.QUEUE_FULL,
                "the queue is full: " + runningCount + " generations run (limit " + config.runningMax() + ") and "
                        + waiting.size() + " wait (limit " + config.queuedMax() + "); ask again in "
                        + RETRY_AFTER_SECONDS + " s",
                Map.of("retryAfterSeconds", Integer.toString(RETRY_AFTER_SECONDS)));
    }

    private void leave(Ticket ticket) {
        @Nullable Ticket next = null;
        synchronized (this) {
            if (ticket.isClosed) {
                return;
            }
            ticket.isClosed = true;
            if (!ticket.isGranted) {
                waiting.remove(ticket);
                return;
            }
            next = waiting.poll();
            if (next == null) {
                runningCount--;
            } else {
                next.isGranted = true;
            }
        }
        if (next != null) {
            next.granted.run();
        }
    }

    /// A turn, or a place in the queue.
    public final class Ticket implements AutoCloseable {
        private final Runnable granted;
        private boolean isGranted; // guarded by Admission.this
        private boolean isClosed; // guarded by Admission.this

        private Ticket(Runnable granted) {
            this.granted = granted;
        }

        /// Gives the turn or the place back.
        @Override
        public void close() {
            leave(this);
        }
    }
}
