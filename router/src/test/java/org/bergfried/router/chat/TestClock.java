package org.bergfried.router.chat;

import org.bergfried.contract.Clock;

/// A clock that stands still on 2026-11-21.
public record TestClock() implements Clock {
    @Override
    public long nanoTime() {
        return 0;
    }

    @Override
    public long wallMillis() {
        return 1_795_219_200_000L;
    }
}
