package org.bergfried.router.placement.live;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// Counts changes of something that many watch: a watcher waits until the count differs from the one it knows, and
/// then looks at the thing itself. So a slow watcher misses states in between and never the newest.
public final class Changes {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private long count;

    /// No change yet.
    public Changes() {}

    /// How many changes there were.
    public long count() {
        lock.lock();
        try {
            return count;
        } finally {
            lock.unlock();
        }
    }

    /// Something has changed.
    public void happened() {
        lock.lock();
        try {
            count++;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Waits for a change.
    ///
    /// @param known the count that the caller knows.
    /// @return the count now; the known one if the time is over.
    public long await(long known, long millis) throws InterruptedException {
        lock.lock();
        try {
            long left = TimeUnit.MILLISECONDS.toNanos(millis);
            while (count == known && left > 0) {
                left = changed.awaitNanos(left);
            }
            return count;
        } finally {
            lock.unlock();
        }
    }
}
