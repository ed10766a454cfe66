package org.bergfried.worker.kernel.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/// Hands out the parts of one region after the other. The number of the region, the parts left and thus the next part
/// are one word, so a thread that looks at an old region can never take a part of a new one.
final class RegionCounter {
    private final AtomicLong state = new AtomicLong(); // region number << 32 | parts not yet taken
    private final AtomicInteger unfinished = new AtomicInteger();
    private int parts; // written before `state`
    private volatile boolean parked;

    /// Begins a region. The one before has ended.
    void begin(int newParts) {
        parts = newParts;
        unfinished.set(newParts);
        long region = (state.get() >>> 32) + 1;
        state.set((region << 32) | newParts);
    }

    /// What [#take] needs.
    long state() {
        return state.get();
    }

    /// Takes a part of the region of `seen`; -1 if none is left or somebody else was faster and took the last one.
    int take(long seen) {
        long region = seen >>> 32;
        long now = seen;
        while (now >>> 32 == region && (int) now > 0) {
            int part = parts - (int) now;
            if (state.compareAndSet(now, now - 1)) {
                return part;
            }
            now = state.get();
        }
        return -1;
    }

    /// Says that a part is done; true if it was the last one and the caller of the region has parked.
    boolean finishPart() {
        return unfinished.decrementAndGet() == 0 && parked;
    }

    /// Waits until every part is done: spinning first, then parked.
    void awaitEnd() {
        for (int spins = 0; spins < ComputePool.SPINS && unfinished.get() > 0; spins++) {
            Thread.onSpinWait();
        }
        parked = true; // whoever does the last part after our next look sees it
        while (unfinished.get() > 0) {
            LockSupport.park(this);
        }
        parked = false;
    }
}
