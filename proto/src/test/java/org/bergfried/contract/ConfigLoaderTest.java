package org.bergfried.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ConfigLoaderTest {
    enum Mode {
        SCALAR,
        VECTOR
    }

    record Grpc(String host, int port, Duration idle, ByteSize window) {
        Grpc {
            Require.range("port", port, 1, 65535);
            Require.range("idle", idle, Duration.ofMillis(1), Duration.ofHours(1));
            Require.range("window", window, new ByteSize(1), ByteSize.ofMebibytes(64));
        }

        static Grpc defaults() {
            return new Grpc("127.0.0.1", 9090, Duration.ofSeconds(10), ByteSize.ofMebibytes(8));
        }
    }

    record Tls(Path certificate, Secret password) {
        Tls {
            Require.present("certificate", certificate);
        }
    }

    record Peer(String name, @Nullable Integer weight) {
        Peer {
            Require.text("name", name);
            weight = weight == null ? 1 : weight;
        }
    }

    record Root(
            Grpc grpc,
            Mode mode,
            boolean verify,
            double share,
            long seed,
            List<String> seeds,
            List<Peer> peers,
            Map<String, String> labels,
            Optional<Tls> tls,
            Optional<Integer> expectedWorkers) {
        static Root defaults() {
            return new Root(
                    Grpc.defaults(),
                    Mode.VECTOR,
                    true,
                    0.5,
                    1,
                    List.of(),
                    List.of(),
                    Map.of(),
                    Optional.empty(),
                    Optional.empty());
        }
    }

    @Test
    void anEmptyFileIsTheDefaults() {
        assertEquals(Root.defaults(), load("", Map.of()));
        assertEquals(Root.defaults(), load("grpc:\n", Map.of()));
    }

    @Test
    void readsEveryType() {
        Root root = load("""
                grpc: {port: 8000, idle: 250ms, window: 1MiB}
                mode: scalar
                verify: false
                share: 0.25
                seed: 9007199254740993
                seeds: [a:1, b:2]
                peers:
                  - name: w1
                  - {name: w2, weight: 3}
                labels: {zone: east}
                tls: {certificate: /etc/tls.crt, password: hunter2}
                expectedWorkers: 2
                """, Map.of());
        assertEquals(
                new Root(
                        new Grpc("127.0.0.1", 8000, Duration.ofMillis(250), ByteSize.ofMebibytes(1)),
                        Mode.SCALAR,
                        false,
                        0.25,
                        9007199254740993L,
                        List.of("a:1", "b:2"),
                        List.of(new Peer("w1", 1), new Peer("w2", 3)),
                        Map.of("zone", "east"),
                        Optional.of(new Tls(Path.of("/etc/tls.crt"), new Secret("hunter2"))),
                        Optional.of(2)),
                root);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'grpc: {prt: 1}' | test.yaml: grpc.prt is not a known key; did you mean port?",
                "'gprc: {port: 1}' | test.yaml: gprc is not a known key; did you mean grpc?",
                "'grpc: {port: 70000}' | test.yaml: grpc.port = 70000 must be from 1 to 65535",
                "'grpc: {port: 9000000000}' | test.yaml: grpc.port = 9000000000 must be from -2147483648 to 2147483647",
                "'grpc: {port: \"80\"}' | test.yaml: grpc.port = \"80\" must be a whole number",
                "'grpc: {port: 80.5}' | test.yaml: grpc.port = 80.5 must be a whole number",
                "'grpc: {port: }' | test.yaml: grpc.port has no value; give one or leave the key out",
                "'grpc: {idle: 10}' | test.yaml: grpc.idle = 10 must be a duration with its unit, such as 10s or 250ms",
                "'grpc: {idle: 2h}' | test.yaml: grpc.idle = 7200s must be from 1ms to 3600s",
                "'grpc: {window: 1GiB}' | test.yaml: grpc.window = 1GiB must be from 1B to 64MiB",
                "'grpc: {host: 5}' | test.yaml: grpc.host = 5 must be text; put it in quotes",
                "'grpc: 5' | test.yaml: grpc = 5 must be a section of keys",
                "'mode: fast' | test.yaml: mode = \"fast\" must be one of scalar, vector",
                "'verify: yes' | test.yaml: verify = \"yes\" must be true or false",
                "'share: 1e999' | test.yaml: share = Infinity must be a finite number",
                "'seeds: a' | test.yaml: seeds = \"a\" must be a list",
                "'seeds: [a, ]' | ",
                "'seeds: [a, 5]' | test.yaml: seeds[1] = 5 must be text; put it in quotes",
                "'peers: [{weight: 2}]' | test.yaml: peers[0].name is required and must not be blank",
                "'tls: {password: x}' | test.yaml: tls.certificate is required",
            })
    void namesFilePathValueAndLimit(String yaml, @Nullable String message) {
        if (message == null) {
            assertEquals(List.of("a"), load(yaml, Map.of()).seeds());
            return;
        }
        assertEquals(message, refusal(yaml, Map.of()));
    }

    @Test
    void refusesDuplicateKeysAndWhatIsNoMapping() {
        assertTrue(refusal("seed: 1\nseed: 2\n", Map.of()).startsWith("test.yaml, line 2"));
        assertEquals("test.yaml: not a YAML mapping of keys to values", refusal("- a\n", Map.of()));
        assertTrue(refusal("grpc: {port: 1\n", Map.of()).contains("not a YAML mapping"));
    }

    @Test
    void theEnvironmentOverridesByPath() {
        Root root = load(
                "grpc: {port: 1}\nseeds: [x]\n",
                Map.of(
                        "BERGFRIED_GRPC__PORT", "2",
                        "BERGFRIED_EXPECTED_WORKERS", "3",
                        "BERGFRIED_SEEDS", "a:1, b:2",
                        "BERGFRIED_MODE", "SCALAR",
                        "BERGFRIED_VERIFY", "false",
                        "BERGFRIED_TLS__CERTIFICATE", "/c.pem",
                        "BERGFRIED_TLS__PASSWORD", "123",
                        "PATH", "/bin"));
        assertEquals(2, root.grpc().port());
        assertEquals(Optional.of(3), root.expectedWorkers());
        assertEquals(List.of("a:1", "b:2"), root.seeds());
        assertEquals(Mode.SCALAR, root.mode());
        assertFalse(root.verify());
        assertEquals("123", root.tls().orElseThrow().password().reveal());
    }

    @Test
    void namesTheVariableOfAWrongOverride() {
        assertEquals(
                "environment variable BERGFRIED_GRPC__PROT: no configuration key is called PROT here; "
                        + "did you mean PORT?",
                refusal("", Map.of("BERGFRIED_GRPC__PROT", "2")));
        assertEquals(
                "test.yaml: grpc.port = \"x\" (BERGFRIED_GRPC__PORT) must be a whole number",
                refusal("", Map.of("BERGFRIED_GRPC__PORT", "x")));
        assertEquals(
                "test.yaml: grpc.port = 0 must be from 1 to 65535 (the environment sets BERGFRIED_GRPC__PORT)",
                refusal("", Map.of("BERGFRIED_GRPC__PORT", "0")));
        assertEquals(
                "environment variable BERGFRIED_MODE__X: mode is not a section of keys",
                refusal("", Map.of("BERGFRIED_MODE__X", "0")));
    }

    @Test
    void ignoresWhatKubernetesAddsAndTheLoggingsVariable() {
        Map<String, String> links = Map.of(
                "BERGFRIED_ROUTER_SERVICE_HOST", "10.0.0.7",
                "BERGFRIED_ROUTER_SERVICE_PORT_HTTP", "8080",
                "BERGFRIED_ROUTER_PORT", "tcp://10.0.0.7:8080",
                "BERGFRIED_ROUTER_PORT_8080_TCP_ADDR", "10.0.0.7",
                "BERGFRIED_PORT_8080_TCP", "tcp://10.0.0.7:8080",
                "BERGFRIED_LOG", "json");
        assertEquals(Root.defaults(), load("", links));
    }

    @Test
    void aSecretIsNeverPrinted() {
        String yaml = "tls: {certificate: /c, password: [hunter2]}";
        assertFalse(refusal(yaml, Map.of()).contains("hunter2"));
        Root root = load("tls: {certificate: /c, password: hunter2}", Map.of());
        assertFalse(root.toString().contains("hunter2"));
        String rendered = ConfigLoader.render(root);
        assertFalse(rendered.contains("hunter2"), rendered);
        assertTrue(rendered.contains("password: \"******\""), rendered);
    }

    @Test
    void whatIsRenderedLoadsAsTheSame() {
        Root root = load("""
                grpc: {port: 8000, idle: 250ms}
                peers: [{name: w2, weight: 3}]
                labels: {zone: east}
                expectedWorkers: 2
                """, Map.of());
        assertEquals(root, load(ConfigLoader.render(root), Map.of()));
    }

    @Test
    void readsFilesAndNamesThoseItCannotRead(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("router.yaml");
        var absent = assertThrows(ConfigException.class, () -> ConfigLoader.load(Root.class, file, Map.of()));
        assertTrue(String.valueOf(absent.getMessage()).contains("router.yaml"), absent.getMessage());
        Files.write(file, new byte[] {(byte) 0xff, (byte) 0xfe, 0});
        var binary = assertThrows(ConfigException.class, () -> ConfigLoader.load(Root.class, file, Map.of()));
        assertTrue(String.valueOf(binary.getMessage()).contains("not UTF-8"), binary.getMessage());
        Files.writeString(file, "seed: 7\n");
        assertEquals(7, ConfigLoader.load(Root.class, file, Map.of()).seed());
    }

    private static Root load(String yaml, Map<String, String> environment) {
        return ConfigLoader.parse(Root.class, "test.yaml", yaml, environment);
    }

    private static String refusal(String yaml, Map<String, String> environment) {
        var refused = assertThrows(ConfigException.class, () -> load(yaml, environment));
        return String.valueOf(refused.getMessage());
    }
}
