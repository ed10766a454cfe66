package org.bergfried.worker.batch;

import org.bergfried.contract.Clock;

/// Time that the test moves.
final class ManualClock implements Clock {
    volatile long nanos = 1;

    @Override
    public long nanoTime() {
        return nanos;
    }

    @Override
    public long wallMillis() {
        return nanos / 1_000_000;
    }
}
