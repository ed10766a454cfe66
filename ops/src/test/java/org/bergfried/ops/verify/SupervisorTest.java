package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// The foreground quickstart: nothing that it started outlives it, however it ends.
final class SupervisorTest {
    @TempDir
    private Path data;

    private Process start() throws IOException {
        Process supervisor = new ProcessBuilder(
                        RunningCluster.launcher().toString(),
                        "quickstart",
                        "--workers",
                        "1",
                        "--http",
                        "127.0.0.1:" + RunningCluster.freePort(),
                        "--grpc",
                        "127.0.0.1:" + RunningCluster.freePort(),
                        "--data",
                        data.toString())
                .redirectOutput(data.resolve("out.txt").toFile())
                .redirectError(data.resolve("err.txt").toFile())
                .start();
        Await.until("the quickstart says what it serves", Duration.ofMinutes(2), () -> {
            assertTrue(supervisor.isAlive(), () -> read("err.txt"));
            return read("out.txt").contains("curl");
        });
        return supervisor;
    }

    private String read(String file) {
        try {
            return Files.readString(data.resolve(file));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private List<ProcessHandle> members() throws IOException {
        List<ProcessHandle> members = new ArrayList<>();
        JsonNode state = HttpChat.JSON.readTree(Files.readAllBytes(data.resolve("state.json")));
        for (JsonNode process : state.path("processes")) {
            members.add(ProcessHandle.of(process.path("pid").asLong()).orElseThrow());
        }
        assertEquals(2, members.size());
        return members;
    }

    private static void awaitEnd(List<ProcessHandle> members) {
        Await.until(
                "the end of all processes",
                Duration.ofSeconds(20),
                () -> members.stream().noneMatch(ProcessHandle::isAlive));
    }

    @Test
    void interruptEndsEverything() throws Exception {
        Process supervisor = start();
        List<ProcessHandle> members = members();
        supervisor.destroy();
        assertTrue(supervisor.waitFor(30, TimeUnit.SECONDS));
        assertFalse(Files.exists(data.resolve("state.json")));
        awaitEnd(members);
    }

    @Test
    void deathOfTheSupervisorEndsEverything() throws Exception {
        Process supervisor = start();
        List<ProcessHandle> members = members();
        supervisor.destroyForcibly();
        awaitEnd(members);
    }
}
