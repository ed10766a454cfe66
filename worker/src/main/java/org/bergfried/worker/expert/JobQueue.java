package org.bergfried.worker.expert;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.bergfried.contract.tensor.DispatchClass;

/// Frames that wait: those of decodes before those of prefills, else in order of arrival. A batch of prefills gets
/// its
/// turn after some batches of decodes, so that decodes without a pause delay prefills but never starve them.
/// Bounded in
/// rows.
final class JobQueue {
    private static final int DECODES_IN_A_ROW = 8; // batches, while prefills wait

    private final int rowsMax;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrival = lock.newCondition();
    private final Map<DispatchClass, ArrayDeque<ExpertJob>> queues = new EnumMap<>(DispatchClass.class);
    private int rows; // guarded by lock
    private int decodesInARow; // batches since a prefill could have run; guarded by lock
    private boolean closed; // guarded by lock

    JobQueue(int rowsMax) {
        this.rowsMax = rowsMax;
        for (DispatchClass each : DispatchClass.values()) {
            queues.put(each, new ArrayDeque<>());
        }
    }

    /// Adds a job; false if it does not fit or the queue is closed.
    boolean offer(ExpertJob job) {
        lock.lock();
        try {
            if (closed || rows + job.frame().rows() > rowsMax) {
                return false;
            }
            rows += job.frame().rows();
            queue(job.header().dispatchClass()).add(job);
            arrival.signal();
            return true;
        } finally {
            lock.unlock();
        }
    }

    /// Waits for jobs that can be computed as one batch of at most `batchRowsMax` rows; empty once closed.
    List<ExpertJob> take(int batchRowsMax) throws InterruptedException {
        lock.lock();
        try {
            while (!closed && rows == 0) {
                arrival.await();
            }
            var batch = new ArrayList<ExpertJob>();
            ArrayDeque<ExpertJob> queue = nextQueue();
            int batchRows = 0;
            ExpertJob next = closed ? null : queue.peek();
            while (next != null
                    && batchRows + next.frame().rows() <= batchRowsMax
                    && (batch.isEmpty() || batch.getFirst().joins(next))) {
                batch.add(queue.remove());
                batchRows += next.frame().rows();
                next = queue.peek();
            }
            rows -= batchRows;
            return batch;
        } finally {
            lock.unlock();
        }
    }

    /// Takes nothing more and gives what still waits.
    List<ExpertJob> close() {
        lock.lock();
        try {
            closed = true;
            arrival.signalAll();
            var waiting = new ArrayList<ExpertJob>();
            queues.values().forEach(waiting::addAll);
            queues.values().forEach(ArrayDeque::clear);
            rows = 0;
            return waiting;
        } finally {
            lock.unlock();
        }
    }

    private ArrayDeque<ExpertJob> nextQueue() {
        ArrayDeque<ExpertJob> decodes = queue(DispatchClass.DECODE);
        ArrayDeque<ExpertJob> prefills = queue(DispatchClass.PREFILL);
        boolean prefillsTurn = decodes.isEmpty() || decodesInARow >= DECODES_IN_A_ROW;
        if (prefills.isEmpty() || prefillsTurn) {
            decodesInARow = 0;
        } else {
            decodesInARow++;
        }
        return prefillsTurn && !prefills.isEmpty() ? prefills : decodes;
    }

    private ArrayDeque<ExpertJob> queue(DispatchClass dispatchClass) {
        return java.util.Objects.requireNonNull(queues.get(dispatchClass));
    }
}
