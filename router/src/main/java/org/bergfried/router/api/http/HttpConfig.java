package org.bergfried.router.api.http;

import java.time.Duration;
import org.bergfried.contract.Require;

/// The HTTP door.
///
/// @param host the address to listen on; beyond loopback TLS and keys are needed.
/// @param port the port to listen on; 0 lets the system choose.
/// @param bodyTimeout within which the body of a request must be there.
/// @param stallTimeout after which a client that reads nothing is dropped.
/// @param commentInterval after so much silence a stream gets a comment line, so that proxies keep it open.
/// @param idleTimeout after which a connection without a running request is closed, whether nothing comes or a header
/// that does not end.
/// @param connectionsMax so many connections may be open; further ones are closed at once.
public record HttpConfig(
        String host,
        int port,
        Duration bodyTimeout,
        Duration stallTimeout,
        Duration commentInterval,
        Duration idleTimeout,
        int connectionsMax) {
    /// Checks the ranges.
    public HttpConfig {
        Require.text("host", host);
        Require.range("port", port, 0, 65535);
        Require.range("bodyTimeout", bodyTimeout, Duration.ofSeconds(1), Duration.ofMinutes(10));
        Require.range("stallTimeout", stallTimeout, Duration.ofSeconds(1), Duration.ofHours(1));
        Require.range("commentInterval", commentInterval, Duration.ofMillis(100), Duration.ofMinutes(5));
        Require.range("idleTimeout", idleTimeout, Duration.ofMillis(100), Duration.ofHours(1));
        Require.range("connectionsMax", connectionsMax, 1, 1_000_000);
    }

    /// Loopback, port 8080.
    public static HttpConfig defaults() {
        return new HttpConfig(
                "127.0.0.1",
                8080,
                Duration.ofSeconds(30),
                Duration.ofMinutes(2),
                Duration.ofSeconds(15),
                Duration.ofMinutes(3),
                4096);
    }
}
