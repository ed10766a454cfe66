package org.bergfried.worker.kernel.cpu;

import java.util.Arrays;
import java.util.Comparator;
import java.util.concurrent.locks.LockSupport;
import org.bergfried.worker.machine.Pinning;
import org.jspecify.annotations.Nullable;

/// A fixed pool of platform threads that compute. Whoever has work opens a [Lane] and runs regions on it: the calling
/// thread takes part, parts are handed out by a counter, and threads without work spin for about 20 microseconds
/// before they park. Idle threads look at the lanes of expert jobs first. Running a region allocates nothing.
public final class ComputePool implements AutoCloseable {
    /// Turns of waiting by spinning: about 20 microseconds, more than the gap between two operations of a step.
    static final int SPINS = 800;

    private static final Lane[] NO_LANES = {};

    private final PoolThread[] helpers;
    private volatile Lane[] lanes = NO_LANES; // in order of priority; replaced as a whole
    private volatile boolean closed;

    /// Whose work goes first.
    public enum Priority {
        /// Expert jobs wait for nothing, so they go first.
        EXPERT,
        /// Trunk jobs may wait for expert jobs.
        TRUNK
    }

    /// What a region does.
    public interface Task {
        /// Does one part.
        ///
        /// @param part which part, from 0.
        /// @param slot which thread, from 0 to `threads() - 1`; no two have the same one in a lane at a time.
        void run(int part, int slot);
    }

    /// A pool of `threads` compute threads, the caller of a region counted, that run where the system likes.
    public ComputePool(int threads) {
        this(threads, Pinning.NONE);
    }

    /// The same.
    ///
    /// @param pinning where its own threads run.
    public ComputePool(int threads, Pinning pinning) {
        if (threads < 1) {
            throw new IllegalArgumentException("a pool of " + threads + " threads; at least 1");
        }
        helpers = new PoolThread[threads - 1];
        for (int i = 0; i < helpers.length; i++) {
            helpers[i] = new PoolThread(i + 1, pinning);
            helpers[i].thread.start();
        }
    }

    /// Threads that work on a region, the caller's own counted.
    public int threads() {
        return helpers.length + 1;
    }

    /// Opens a lane: regions of one lane run one after the other, those of several lanes at a time.
    public synchronized Lane open(Priority priority) {
        if (closed) {
            throw new IllegalStateException("the compute pool is closed");
        }
        var lane = new Lane(priority);
        Lane[] more = Arrays.copyOf(lanes, lanes.length + 1);
        more[lanes.length] = lane;
        Arrays.sort(more, Comparator.comparing(each -> each.priority));
        lanes = more;
        return lane;
    }

    private synchronized void remove(Lane lane) {
        lanes = Arrays.stream(lanes).filter(each -> each != lane).toArray(Lane[]::new);
    }

    /// Ends the threads. No region may be running.
    @Override
    public void close() {
        closed = true;
        for (PoolThread helper : helpers) {
            LockSupport.unpark(helper.thread);
        }
        for (PoolThread helper : helpers) {
            joinUninterruptibly(helper.thread);
        }
    }

    private static void joinUninterruptibly(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean helpSomebody(int slot) {
        for (Lane lane : lanes) {
            if (lane.runOnePart(slot)) {
                return true;
            }
        }
        return false;
    }

    /// Runs regions, one at a time, called by one thread at a time.
    public final class Lane implements AutoCloseable {
        private final Priority priority;
        private final RegionCounter counter = new RegionCounter();
        private @Nullable Task task;
        private @Nullable Thread owner;
        private volatile @Nullable Throwable failure;

        private Lane(Priority priority) {
            this.priority = priority;
        }

        /// The pool that the lane belongs to.
        public ComputePool pool() {
            return ComputePool.this;
        }

        /// Runs parts `0..parts - 1` on the caller and on whoever is idle, and returns when all are done. An
        /// exception of a part is thrown here once the others have ended.
        public void run(int parts, Task newTask) {
            if (parts == 1 || helpers.length == 0) {
                for (int part = 0; part < parts; part++) {
                    newTask.run(part, 0);
                }
                return;
            }
            task = newTask;
            owner = Thread.currentThread();
            counter.begin(parts);
            wake(parts - 1);
            while (runOnePart(0)) {
                // The caller works as long as there are parts to take.
            }
            counter.awaitEnd();
            task = null;
            throwFailure();
        }

        private void wake(int count) {
            int left = count;
            for (int i = 0; i < helpers.length && left > 0; i++) {
                left -= helpers[i].wake() ? 1 : 0;
            }
        }

        /// Takes and runs one part, if there is one.
        private boolean runOnePart(int slot) {
            long state = counter.state();
            Task current = task; // belongs to `state` if taking succeeds: a region begins after its task is set
            if (current == null) {
                return false;
            }
            int part = counter.take(state);
            if (part < 0) {
                return false;
            }
            try {
                current.run(part, slot);
            } catch (RuntimeException | Error e) {
                failure = e;
            }
            Thread caller = owner; // read first: once the last part is done, the next region may begin
            if (counter.finishPart()) {
                LockSupport.unpark(caller);
            }
            return true;
        }

        private void throwFailure() {
            Throwable thrown = failure;
            failure = null;
            switch (thrown) {
                case null -> {}
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                default -> throw new IllegalStateException(thrown);
            }
        }

        /// Takes the lane out of the pool. No region may be running.
        @Override
        public void close() {
            remove(this);
        }
    }

    /// One thread of the pool.
    private final class PoolThread {
        private final Thread thread;
        private volatile boolean parked;

        PoolThread(int slot, Pinning pinning) {
            thread = Thread.ofPlatform().name("compute-" + slot).daemon(true).unstarted(() -> {
                pinning.pin(slot);
                work(slot);
            });
        }

        private void work(int slot) {
            int idle = 0;
            while (!closed) {
                if (helpSomebody(slot)) {
                    idle = 0;
                } else if (++idle < SPINS) {
                    Thread.onSpinWait();
                } else {
                    parkUnlessWorkCame(slot);
                    idle = 0;
                }
            }
        }

        private void parkUnlessWorkCame(int slot) {
            parked = true; // seen by every caller that publishes a region after our last look
            if (!closed && !helpSomebody(slot)) {
                LockSupport.park(ComputePool.this);
            }
            parked = false;
        }

        boolean wake() {
            if (!parked) {
                return false;
            }
            LockSupport.unpark(thread);
            return true;
        }
    }
}
