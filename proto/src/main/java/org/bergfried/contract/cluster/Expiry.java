package org.bergfried.contract.cluster;

import java.time.Duration;
import org.bergfried.contract.Limits;

/// When a generation is forgotten, in the nanoseconds of one process's clock.
record Expiry(long nanos) {
    static Expiry afterStart(long nowNanos) {
        return new Expiry(
                nowNanos + Duration.ofSeconds(Limits.RESUME_AFTER_START_SECONDS).toNanos());
    }

    /// The generation has ended now: whichever comes first counts.
    Expiry afterEnd(long nowNanos) {
        long end =
                nowNanos + Duration.ofSeconds(Limits.RESUME_AFTER_END_SECONDS).toNanos();
        return end - nanos < 0 ? new Expiry(end) : this;
    }

    boolean isOver(long nowNanos) {
        return nowNanos - nanos >= 0;
    }
}
