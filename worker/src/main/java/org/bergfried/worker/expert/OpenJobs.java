package org.bergfried.worker.expert;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.bergfried.contract.cluster.ExpertSet;
import org.bergfried.contract.tensor.DispatchFrame;

/// The frames that a host has taken and not answered, so that an operator's command can wait for those of old
/// placements.
final class OpenJobs {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition answered = lock.newCondition();
    private final Set<ExpertJob> jobs = Collections.newSetFromMap(new IdentityHashMap<>()); // guarded by lock
    private int waiters; // guarded by lock

    void add(ExpertJob job) {
        lock.lock();
        try {
            jobs.add(job);
        } finally {
            lock.unlock();
        }
    }

    /// Called right before the answer, after which the frame's memory is not the host's any more.
    void remove(ExpertJob job) {
        lock.lock();
        try {
            jobs.remove(job);
            if (waiters > 0) {
                answered.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /// Waits until no frame of an older epoch that needs one of the experts is open.
    ///
    /// @return how many still are when the time is over.
    int awaitAnswered(ExpertSet experts, long belowEpoch, long nanosMax) throws InterruptedException {
        lock.lock();
        waiters++;
        try {
            long left = nanosMax;
            int open = count(experts, belowEpoch);
            while (open > 0 && left > 0) {
                left = answered.awaitNanos(left);
                open = count(experts, belowEpoch);
            }
            return open;
        } finally {
            waiters--;
            lock.unlock();
        }
    }

    private int count(ExpertSet experts, long belowEpoch) {
        int count = 0;
        for (ExpertJob job : jobs) {
            if (job.header().epoch() < belowEpoch && needsAny(job.frame(), experts)) {
                count++;
            }
        }
        return count;
    }

    private static boolean needsAny(DispatchFrame frame, ExpertSet experts) {
        int layer = frame.header().layer();
        for (int row = 0; row < frame.rows(); row++) {
            for (int place = 0; place < frame.header().width(); place++) {
                int expert = frame.expert(row, place);
                if (expert != DispatchFrame.NO_EXPERT && experts.contains(layer, expert)) {
                    return true;
                }
            }
        }
        return false;
    }
}
