package org.bergfried.contract;

/// The only source of time. Passed in, so that tests and the simulator decide what time it is.
public interface Clock {
    /// Nanoseconds since an arbitrary origin, never going back: for durations, deadlines and leases inside one
    /// process.
    long nanoTime();

    /// Milliseconds since 1970 UTC: for what people read and for records that leave the process.
    long wallMillis();
}
