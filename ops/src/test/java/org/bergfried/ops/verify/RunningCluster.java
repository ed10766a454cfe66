package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.opentest4j.TestAbortedException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A quickstart of real processes, driven through the launcher as a user does.
final class RunningCluster implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final Path launcher;
    private final Path data;
    private final JsonNode status;

    private RunningCluster(Path launcher, Path data, JsonNode status) {
        this.launcher = launcher;
        this.data = data;
        this.status = status;
    }

    /// Starts a detached quickstart, or aborts the test, loudly, where the tests were not started by the launcher.
    static RunningCluster start(Path data, int workers) throws IOException {
        Path launcher = launcher();
        Run run = run(
                launcher,
                data,
                "quickstart",
                "--workers",
                String.valueOf(workers),
                "--http",
                "127.0.0.1:" + freePort(),
                "--grpc",
                "127.0.0.1:" + freePort(),
                "--detach");
        assertEquals(0, run.exitCode(), run.err());
        return new RunningCluster(launcher, data, status(launcher, data));
    }

    static Path launcher() {
        String launcher = System.getProperty("bergfried.launcher", "");
        if (launcher.isEmpty()) {
            throw new TestAbortedException(
                    "**** SKIPPED: process tests need the distribution; run `ops/bergfried test`");
        }
        return Path.of(launcher);
    }

    /// What a command printed and how it ended.
    record Run(int exitCode, String out, String err) {}

    static Run run(Path launcher, Path data, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(launcher.toString()));
        command.addAll(Arrays.asList(arguments));
        command.addAll(List.of("--data", data.toString()));
        Path out = Files.createTempFile("out", ".txt");
        Path err = Files.createTempFile("err", ".txt");
        Process process = new ProcessBuilder(command)
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        try {
            if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
                fail(command + " did not end within " + PATIENCE + "; it said " + Files.readString(err));
            }
            return new Run(process.exitValue(), Files.readString(out), Files.readString(err));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }

    Run run(String... arguments) throws IOException {
        return run(launcher, data, arguments);
    }

    static int freePort() throws IOException {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    static JsonNode status(Path launcher, Path data) throws IOException {
        return JSON.readTree(run(launcher, data, "status", "--json").out().getBytes(StandardCharsets.UTF_8));
    }

    JsonNode status() throws IOException {
        return status(launcher, data);
    }

    String url() {
        return status.path("http").asString();
    }

    String grpc() {
        return status.path("grpc").asString();
    }

    String model() {
        return status.path("model").asString();
    }

    /// Ids of the workers, in order.
    List<String> workers() {
        List<String> ids = new ArrayList<>();
        for (JsonNode process : status.path("processes")) {
            if (process.path("role").asString().equals("worker")) {
                ids.add(process.path("id").asString());
            }
        }
        return ids;
    }

    /// Where the processes tell how they are: URLs with `/healthz` and `/metrics`.
    List<String> health() throws IOException {
        List<String> urls = new ArrayList<>();
        for (JsonNode process : state()) {
            urls.add(process.path("health").asString());
        }
        return urls;
    }

    /// The end of a worker's life: kill -9. Returns when it is gone.
    void kill(String id) throws IOException {
        ProcessHandle victim = ProcessHandle.of(member(id).path("pid").asLong()).orElseThrow();
        victim.destroyForcibly();
        victim.onExit().join();
    }

    /// Starts killed workers again and waits until everything is ready.
    void bringBack(List<String> ids) throws IOException {
        for (String id : ids) {
            Run run = run("quickstart", "--restart", id);
            assertEquals(0, run.exitCode(), run.err());
        }
        awaitAllReady();
    }

    void awaitAllReady() throws IOException {
        Await.until("all processes ready", PATIENCE, () -> {
            for (JsonNode process : status().path("processes")) {
                if (!process.path("ready").asBoolean()) {
                    return false;
                }
            }
            return true;
        });
    }

    /// Pages of the caches that sequences hold, over all workers, as the workers' own metrics tell it.
    int pagesInUse() throws IOException {
        int pages = 0;
        for (String id : workers()) {
            String metrics = new HttpChat(member(id).path("health").asString()).get("/metrics");
            pages += (int) (Scrape.value(metrics, "bergfried_cache_pages")
                    - Scrape.value(metrics, "bergfried_cache_pages_free"));
        }
        return pages;
    }

    /// What the quickstart itself keeps of a process.
    private JsonNode member(String id) throws IOException {
        for (JsonNode process : state()) {
            if (process.path("id").asString().equals(id)) {
                return process;
            }
        }
        throw new IOException("no process " + id);
    }

    private JsonNode state() throws IOException {
        return JSON.readTree(Files.readAllBytes(data.resolve("state.json"))).path("processes");
    }

    @Override
    public void close() throws IOException {
        Run run = run("stop");
        assertEquals(0, run.exitCode(), run.err());
    }
}
