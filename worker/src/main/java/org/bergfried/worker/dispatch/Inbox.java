package org.bergfried.worker.dispatch;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import org.bergfried.contract.tensor.DispatchClass;
import org.bergfried.contract.tensor.ResultFrame;
import org.jspecify.annotations.Nullable;

/// What happened at the peers, in order of arrival. Any thread puts, without blocking; the trunk's thread takes. What
/// it holds is bounded by the memory that the peers reserved for results.
public final class Inbox {
    private static final int SPINS = 500; // a few microseconds; on loopback a result is often that near

    private final ConcurrentLinkedQueue<Event> events = new ConcurrentLinkedQueue<>();
    private volatile @Nullable Thread waiter;

    /// Something that happened at a peer.
    public sealed interface Event {
        /// A result.
        ///
        /// @param workerId who sent it.
        /// @param frame    lies in memory of the peer.
        /// @param release  to be run once when the frame has been read.
        record Result(String workerId, ResultFrame frame, Runnable release) implements Event {}

        /// The way to a host ended; no result comes of what was sent on it.
        ///
        /// @param workerId      which host.
        /// @param dispatchClass which of the ways to it.
        record Lost(String workerId, DispatchClass dispatchClass) implements Event {}

        /// A host can take more rows, or a new one answers.
        ///
        /// @param workerId which host.
        record Room(String workerId) implements Event {}
    }

    /// Adds an event and wakes the trunk's thread.
    public void put(Event event) {
        events.add(event);
        Thread thread = waiter;
        if (thread != null) {
            LockSupport.unpark(thread);
        }
    }

    /// The next event, or null if there is none.
    @Nullable
    Event poll() {
        return events.poll();
    }

    /// Waits for an event, at most so long; null if none came or the thread was interrupted.
    @Nullable
    Event await(long nanos) {
        for (int i = 0; i < SPINS; i++) {
            Event event = events.poll();
            if (event != null) {
                return event;
            }
            Thread.onSpinWait();
        }
        waiter = Thread.currentThread();
        Event event = events.poll(); // seen now, or its put sees the waiter
        if (event == null && nanos > 0) {
            LockSupport.parkNanos(this, nanos);
            event = events.poll();
        }
        waiter = null;
        return event;
    }
}
