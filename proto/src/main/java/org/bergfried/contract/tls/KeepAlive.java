package org.bergfried.contract.tls;

import java.time.Duration;
import org.bergfried.contract.Require;

/// How a connection finds out that its peer is gone: one setting for clients and servers, because a client that
/// pings more often than its server permits is thrown out.
///
/// @param interval how long a connection may be silent before it is probed.
/// @param timeout how long an answer may take.
public record KeepAlive(Duration interval, Duration timeout) {
    /// Checks the limits.
    public KeepAlive {
        Require.range("interval", interval, Duration.ofSeconds(1), Duration.ofHours(1));
        Require.range("timeout", timeout, Duration.ofSeconds(1), Duration.ofMinutes(1));
    }

    /// A dead peer is noticed within about three seconds.
    public static KeepAlive defaults() {
        return new KeepAlive(Duration.ofSeconds(1), Duration.ofSeconds(2));
    }
}
