package org.bergfried.router;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.bergfried.contract.Require;
import org.bergfried.contract.cluster.ClusterConfig;
import org.bergfried.contract.tls.KeepAlive;
import org.bergfried.contract.tls.TlsConfig;
import org.bergfried.router.admit.AdmitConfig;
import org.bergfried.router.api.AnswerLimits;
import org.bergfried.router.api.grpc.GrpcConfig;
import org.bergfried.router.api.http.HttpConfig;
import org.bergfried.router.placement.PlacementConfig;
import org.jspecify.annotations.Nullable;

/// A router's configuration, one YAML file. Everything but `sealKeyFile` has a default.
///
/// ```yaml
/// http: {host: 127.0.0.1, port: 8080}
/// grpc: {host: 127.0.0.1, port: 9090}
/// cluster: {host: 127.0.0.1, port: 5701, seeds: ["127.0.0.1:5701"]}
/// placement: {expectedWorkers: 2}
/// sealKeyFile: /etc/bergfried/seal.keys
/// ```
///
/// @param http the HTTP door.
/// @param grpc the gRPC door.
/// @param cluster how it finds the others.
/// @param tls the identity of the router; without one, only loopback addresses are accepted. The HTTP door shows the
/// certificate beyond loopback and is plaintext on loopback.
/// @param keepAlive how a dead peer is noticed.
/// @param keysFile the API keys; without them, the doors listen on loopback only and everybody is the tenant local.
/// @param sealKeyFile the keys that seal shared state, the same for all members.
/// @param placement when experts are placed.
/// @param admit how many generations it takes.
/// @param answers the bounds of answers.
/// @param drain how long running answers may go on after SIGTERM; default 25 s, below the 30 s after which
/// Kubernetes kills.
public record RouterConfig(
        HttpConfig http,
        GrpcConfig grpc,
        ClusterConfig cluster,
        Optional<TlsConfig> tls,
        KeepAlive keepAlive,
        Optional<Path> keysFile,
        @Nullable Path sealKeyFile,
        PlacementConfig placement,
        AdmitConfig admit,
        AnswerLimits answers,
        @Nullable Duration drain) {

    /// Checks what concerns several parts.
    public RouterConfig {
        drain = drain == null ? Duration.ofSeconds(25) : drain;
        Require.present("sealKeyFile", sealKeyFile);
        Require.range("drain", drain, Duration.ZERO, Duration.ofHours(1));
        requireLocked("http.host", http.host(), keysFile, tls);
        requireLocked("grpc.host", grpc.host(), keysFile, tls);
    }

    /// The file of the sealing keys.
    public Path sealKeys() {
        return Require.present("sealKeyFile", sealKeyFile);
    }

    /// How long running answers may go on.
    public Duration drainTimeout() {
        return Require.present("drain", drain);
    }

    /// Whether the HTTP door shows the certificate: not on loopback.
    boolean isHttpEncrypted() {
        return !isLoopback(http.host());
    }

    private static void requireLocked(String key, String host, Optional<Path> keysFile, Optional<TlsConfig> tls) {
        boolean isLocal = isLoopback(host);
        Require.that(
                isLocal || keysFile.isPresent(),
                key,
                "= " + host + " is reachable from other machines and needs API keys: set keysFile, or use 127.0.0.1");
        Require.that(
                isLocal || tls.isPresent(),
                key,
                "= " + host + " is reachable from other machines and needs TLS: set tls, or use 127.0.0.1");
    }

    private static boolean isLoopback(String host) {
        return host.equals("localhost") || host.equals("::1") || host.startsWith("127.");
    }
}
