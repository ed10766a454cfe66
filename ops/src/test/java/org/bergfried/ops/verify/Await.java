package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.fail;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import org.bergfried.contract.SystemClock;

/// Waits for something that other processes do.
final class Await {
    private static final Duration POLL = Duration.ofMillis(20);

    private Await() {}

    /// Returns as soon as the condition holds; fails, naming it, when it does not within the limit.
    static void until(String what, Duration limit, Callable<Boolean> condition) {
        var clock = new SystemClock();
        long end = clock.nanoTime() + limit.toNanos();
        try {
            while (!condition.call()) {
                if (clock.nanoTime() > end) {
                    fail("not within " + limit + ": " + what);
                }
                LockSupport.parkNanos(POLL.toNanos());
            }
        } catch (Exception e) {
            throw new AssertionError("while waiting for: " + what, e);
        }
    }
}
