package org.bergfried.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bergfried.contract.ByteSize;
import org.bergfried.contract.ConfigException;
import org.bergfried.contract.ConfigLoader;
import org.bergfried.contract.cluster.WorkerAnnouncement.Role;
import org.bergfried.worker.kernel.foreign.LibrarySettings;
import org.junit.jupiter.api.Test;

class WorkerConfigTest {
    @Test
    void theModelAloneIsEnough() {
        WorkerConfig config = parse("model: {path: /models/tiny.gguf}");
        assertEquals("worker-1", config.id());
        assertEquals("tiny", config.model().servedName());
        assertEquals(List.of(Role.TRUNK, Role.EXPERT), config.roles());
        assertEquals("auto", config.backend());
        assertEquals(new WorkerConfig.Listen("127.0.0.1", 9091), config.grpc());
        assertEquals(new WorkerConfig.Listen("127.0.0.1", 8081), config.http());
        assertEquals(new WorkerConfig.Batching(256, 64, 64, 256, Duration.ofSeconds(60)), config.batch());
        assertEquals(64, config.experts().peersMax());
        assertEquals(LibrarySettings.Build.AUTO, config.backends().library().build());
        assertEquals(Path.of("data", "seal.keys"), config.sealKeyFile());
        assertEquals(Duration.ofSeconds(25), config.drain());
    }

    @Test
    void everyKeyIsRead() {
        WorkerConfig config = parse("""
                id: w7
                model: {path: /models/big, name: served}
                roles: [expert]
                backend: vector
                threads: 12
                kernels: {build: found, directory: /var/cache/kernels}
                grpc: {host: 127.0.0.2, port: 0}
                http: {port: 1234}
                dataDirectory: /var/lib/bergfried
                cache: {size: 2GiB, positions: 100, context: 50}
                batch: {rowsMax: 512, prefillChunk: 128, sequencesMax: 32, queueMax: 9, stalledMax: 5s}
                experts: {hot: 30GiB, cold: 1GiB, peersMax: 9}
                sealKeyFile: /etc/seal.keys
                drain: 90s
                """);
        assertEquals("served", config.model().servedName());
        assertTrue(config.has(Role.EXPERT) && !config.has(Role.TRUNK));
        assertEquals(new WorkerConfig.Listen("127.0.0.2", 0), config.grpc());
        assertEquals(1234, config.http().port());
        assertEquals(
                new LibrarySettings(LibrarySettings.Build.FOUND, Path.of("/var/cache/kernels")),
                config.backends().library());
        assertEquals(new WorkerConfig.Cache(Optional.of(ByteSize.parse("2GiB")), 100, 50), config.cache());
        assertEquals(new WorkerConfig.Batching(512, 128, 32, 9, Duration.ofSeconds(5)), config.batch());
        assertEquals(30L << 30, config.engine(1).hotBytes().orElseThrow());
        assertEquals(9, config.engine(1).peersMax());
        assertEquals(Path.of("/etc/seal.keys"), config.sealKeyFile());
        assertEquals(Duration.ofSeconds(90), config.drain());
    }

    @Test
    void brokenValuesAreNamed() {
        assertRefused("model", "id: w");
        assertRefused("backend", "model: {path: m}\nbackend: fast");
        assertRefused("kernels.build", "model: {path: m}\nkernels: {build: always}");
        assertRefused("sequencesMax", "model: {path: m}\nbatch: {rowsMax: 8, sequencesMax: 9}");
        assertRefused("experts.peersMax", "model: {path: m}\nexperts: {peersMax: 0}");
        assertRefused("experts.peersMax", "model: {path: m}\nexperts: {peersMax: 1025}");
        assertRefused("grpc.host", "model: {path: m}\ngrpc: {host: 0.0.0.0}");
        assertRefused("threadz", "model: {path: m}\nthreadz: 2");
    }

    private static void assertRefused(String name, String yaml) {
        var refusal = assertThrows(ConfigException.class, () -> parse(yaml));
        assertTrue(String.valueOf(refusal.getMessage()).contains(name), refusal.getMessage());
    }

    private static WorkerConfig parse(String yaml) {
        return ConfigLoader.parse(WorkerConfig.class, "test", yaml, Map.of());
    }
}
