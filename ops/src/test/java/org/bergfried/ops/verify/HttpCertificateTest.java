package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.Certificate;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.bergfried.contract.tls.Channels;
import org.bergfried.contract.tls.KeepAlive;
import org.bergfried.router.api.InferenceGate;
import org.bergfried.router.api.admin.AdminGate;
import org.bergfried.router.api.http.HttpConfig;
import org.bergfried.router.api.http.HttpDoor;
import org.bergfried.router.auth.Callers;
import org.bergfried.router.meter.RouterMeters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The HTTP door shows a new certificate without a restart.
final class HttpCertificateTest {
    @TempDir
    private Path folder = Path.of("");

    @Test
    void newCertificateIsShownAndAnUnusableOneIsNot() throws Exception {
        var authority = new TestAuthority(folder);
        var files = authority.issue("router", "router.example");
        var meters = new RouterMeters(new SimpleMeterRegistry());
        try (var channels = new Channels(Optional.of(files), KeepAlive.defaults());
                var door = new HttpDoor(
                        loopback(),
                        channels.keys(),
                        new Callers(Optional.empty()),
                        new InferenceGate(),
                        new AdminGate(),
                        meters,
                        () -> "")) {
            Certificate first = shown(authority.trust(), door.port());
            assertEquals(first, shown(authority.trust(), door.port()));
            authority.issue("router", "router.example");
            channels.reload();
            Certificate second = shown(authority.trust(), door.port());
            assertNotEquals(first, second);
            Files.writeString(files.certificate(), "half a file");
            channels.reload();
            assertEquals(second, shown(authority.trust(), door.port()));
        }
    }

    private static HttpConfig loopback() {
        HttpConfig defaults = HttpConfig.defaults();
        return new HttpConfig(
                "127.0.0.1",
                0,
                defaults.bodyTimeout(),
                defaults.stallTimeout(),
                defaults.commentInterval(),
                defaults.idleTimeout(),
                defaults.connectionsMax());
    }

    /// The certificate of the door, as a client that trusts the authority gets it.
    private static Certificate shown(SSLContext trust, int port) throws Exception {
        try (var socket = (SSLSocket) trust.getSocketFactory().createSocket("127.0.0.1", port)) {
            socket.startHandshake();
            return socket.getSession().getPeerCertificates()[0];
        }
    }
}
