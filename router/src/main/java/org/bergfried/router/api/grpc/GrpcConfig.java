package org.bergfried.router.api.grpc;

import java.time.Duration;
import org.bergfried.contract.Require;

/// The gRPC door.
///
/// @param host the address to listen on; beyond loopback TLS and keys are needed.
/// @param port the port to listen on; 0 lets the system choose.
/// @param stallTimeout after which a client that reads nothing is dropped.
public record GrpcConfig(String host, int port, Duration stallTimeout) {
    /// Checks the ranges.
    public GrpcConfig {
        Require.text("host", host);
        Require.range("port", port, 0, 65535);
        Require.range("stallTimeout", stallTimeout, Duration.ofSeconds(1), Duration.ofHours(1));
    }

    /// Loopback, port 9090.
    public static GrpcConfig defaults() {
        return new GrpcConfig("127.0.0.1", 9090, Duration.ofMinutes(2));
    }
}
