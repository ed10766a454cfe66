package org.bergfried.worker.batch;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.bergfried.contract.ClusterException;
import org.jspecify.annotations.Nullable;

/// The bounded way from the step loop to one listener. The loop never waits here; the deliverer does.
final class Outbox {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition filled = lock.newCondition();
    private final Runnable onRoom;
    private final int[] ids; // ring
    private long written;
    private long delivered;
    private @Nullable End end;
    private @Nullable Thread deliverer;

    /// How a sequence ended.
    sealed interface End {
        /// Normally.
        record Finished(FinishReason reason, int tokenCount) implements End {}

        /// By an error.
        ///
        /// @param abrupt whether to interrupt a listener that blocks, and drop what it has not taken yet.
        record Failed(ClusterException error, boolean abrupt) implements End {}
    }

    /// @param onRoom called by the deliverer when a full outbox has room again.
    Outbox(int capacity, Runnable onRoom) {
        ids = new int[capacity];
        this.onRoom = onRoom;
    }

    /// Whether the next token would have no room. A token counts until its listener's call has returned.
    boolean full() {
        lock.lock();
        try {
            return written - delivered >= ids.length;
        } finally {
            lock.unlock();
        }
    }

    void put(int id) {
        lock.lock();
        try {
            if (written - delivered >= ids.length) {
                throw new IllegalStateException("a token was drawn for a full outbox of " + ids.length);
            }
            ids[(int) (written++ % ids.length)] = id;
            filled.signal();
        } finally {
            lock.unlock();
        }
    }

    void end(End how) {
        lock.lock();
        try {
            end = how;
            filled.signal();
            if (deliverer != null && how instanceof End.Failed failed && failed.abrupt()) {
                deliverer.interrupt();
            }
        } finally {
            lock.unlock();
        }
    }

    /// Hands everything to the listener until the end has been delivered.
    void deliver(SequenceListener listener, int firstPosition) throws InterruptedException {
        enter(Thread.currentThread());
        try {
            deliverTokens(listener, firstPosition);
        } catch (InterruptedException interrupted) {
            if (!abruptlyEnded()) {
                throw interrupted;
            }
        }
        Thread.interrupted(); // an abrupt end that found the listener not blocking
        switch (ended()) {
            case End.Finished(FinishReason reason, int tokenCount) -> listener.finished(reason, tokenCount);
            case End.Failed(ClusterException error, var abrupt) -> listener.failed(error);
        }
    }

    private void enter(Thread thread) {
        lock.lock();
        try {
            deliverer = thread;
        } finally {
            lock.unlock();
        }
    }

    private void deliverTokens(SequenceListener listener, int firstPosition) throws InterruptedException {
        while (awaitToken()) {
            long index = delivered; // only this thread writes it
            listener.token(firstPosition + (int) index, ids[(int) (index % ids.length)]);
            afterDelivery();
        }
    }

    private boolean awaitToken() throws InterruptedException {
        lock.lock();
        try {
            while (written == delivered && end == null) {
                filled.await();
            }
            return written > delivered && !(end instanceof End.Failed failed && failed.abrupt());
        } finally {
            lock.unlock();
        }
    }

    private void afterDelivery() {
        lock.lock();
        try {
            delivered++;
            if (written - delivered == ids.length - 1) {
                onRoom.run();
            }
        } finally {
            lock.unlock();
        }
    }

    private boolean abruptlyEnded() {
        lock.lock();
        try {
            return end instanceof End.Failed failed && failed.abrupt();
        } finally {
            lock.unlock();
        }
    }

    private End ended() {
        lock.lock();
        try {
            if (end == null) {
                throw new IllegalStateException("the outbox has not ended");
            }
            return end;
        } finally {
            lock.unlock();
        }
    }
}
