package org.bergfried.router;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import org.bergfried.contract.ConfigException;
import org.bergfried.contract.ConfigLoader;
import org.bergfried.contract.SystemClock;
import org.junit.jupiter.api.Test;

final class RouterConfigTest {
    private static final String KEY = "sealKeyFile: seal.keys\n";

    @Test
    void hasTheDocumentedDefaults() {
        RouterConfig config = parse(KEY);
        assertEquals("127.0.0.1", config.http().host());
        assertEquals(8080, config.http().port());
        assertEquals(9090, config.grpc().port());
        assertEquals(1, config.placement().expectedWorkers());
        assertEquals(Duration.ofSeconds(15), config.http().commentInterval());
        assertEquals(Duration.ofSeconds(25), config.drainTimeout());
        assertEquals(256, config.admit().runningMax());
    }

    @Test
    void anHttpAddressInUseIsToldAsAFaultOfTheConfiguration() throws IOException {
        try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            RouterConfig config = RouterFixture.config("http: {port: " + taken.getLocalPort() + "}\n");
            var refused = assertThrows(
                    ConfigException.class, () -> new Router(config, new SystemClock(), new Random(1)::nextLong));
            assertTrue(
                    String.valueOf(refused.getMessage())
                            .startsWith("cannot listen on http 127.0.0.1:" + taken.getLocalPort() + ": "),
                    refused.getMessage());
        }
    }

    @Test
    void readsEveryPart() {
        RouterConfig config = parse(KEY + """
                http: {host: 127.0.0.2, port: 1, bodyTimeout: 2s, stallTimeout: 3s, commentInterval: 4s,
                       idleTimeout: 18s, connectionsMax: 19}
                grpc: {host: 127.0.0.3, port: 5, stallTimeout: 6s}
                cluster: {name: test, host: 127.0.0.4, port: 7, seeds: ["127.0.0.5:8"]}
                keepAlive: {interval: 9s, timeout: 10s}
                keysFile: keys.yaml
                placement: {expectedWorkers: 11, expectedRouters: 12}
                admit: {runningMax: 13, queuedMax: 14}
                answers: {bufferPerClient: 15MiB, timeout: 16m}
                drain: 17s
                """);
        assertEquals(Duration.ofSeconds(3), config.http().stallTimeout());
        assertEquals(Duration.ofSeconds(18), config.http().idleTimeout());
        assertEquals(19, config.http().connectionsMax());
        assertEquals("test", config.cluster().name());
        assertEquals(12, config.placement().expectedRouters());
        assertEquals(14, config.admit().queuedMax());
        assertEquals(15 << 20, config.answers().bufferPerClient().bytes());
        assertEquals(Duration.ofSeconds(17), config.drainTimeout());
    }

    @Test
    void refusesToListenBeyondLoopbackWithoutKeysAndTls() {
        refused(KEY + "http: {host: 0.0.0.0}\n", "http.host", "keysFile", "127.0.0.1");
        refused(KEY + "grpc: {host: 10.0.0.1}\n", "grpc.host", "keysFile");
        refused(KEY + "http: {host: 10.0.0.1}\nkeysFile: k.yaml\n", "http.host", "TLS");
    }

    @Test
    void refusesUnknownKeysAndBrokenLimits() {
        refused(KEY + "htp: {}\n", "htp", "http");
        refused(KEY + "admit: {runningMax: 0}\n", "admit.runningMax", "1");
        refused("http: {port: 1}\n", "sealKeyFile", "required");
    }

    private static void refused(String yaml, String... parts) {
        String message = String.valueOf(
                assertThrows(ConfigException.class, () -> parse(yaml)).getMessage());
        for (String part : parts) {
            assertTrue(message.contains(part), "\"" + message + "\" does not contain \"" + part + "\"");
        }
    }

    private static RouterConfig parse(String yaml) {
        return ConfigLoader.parse(RouterConfig.class, "router.yaml", yaml, Map.of());
    }
}
