package org.bergfried.contract;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/// A clock that a test moves.
public final class FakeClock implements Clock {
    private final AtomicLong nanos = new AtomicLong(-5); // negative, so that nobody compares with zero

    /// Lets time pass.
    public void advance(Duration by) {
        nanos.addAndGet(by.toNanos());
    }

    @Override
    public long nanoTime() {
        return nanos.get();
    }

    @Override
    public long wallMillis() {
        return 1_700_000_000_000L + nanos.get() / 1_000_000;
    }
}
