package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// Workers on emulated GPUs beside one on the CPU: a trunk, an expert host, and a CPU worker with both roles, so that a
/// stream can go on when any of them dies. The bytes are those of the same cluster on CPUs.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class GpuClusterTest {
    private static final int TOKENS = 240;
    private static final int KILL_AFTER = 30;

    @TempDir
    private static Path data;

    private RunningCluster cluster;
    private HttpChat chat;
    private HttpChat.Streamed onCpus;

    @BeforeAll
    void start() throws IOException {
        String library = System.getProperty("bergfried.cudaEmulator", "");
        assumeTrue(!library.isEmpty(), "no CUDA emulator: set bergfried.cudaEmulator, as ops/bergfried test does");
        cluster = RunningCluster.start(data, 3);
        chat = new HttpChat(cluster.url());
        onCpus = chat.stream(HttpChat.longAnswer(TOKENS, 7), events -> {});
        assertTrue(onCpus.ids().size() > KILL_AFTER * 2, "the answer is too short to be disturbed");
        String device = "cuda: {library: '" + Path.of(library).toAbsolutePath() + "', allowEmulated: true}";
        restart("worker-1", "roles: [trunk]", "trunk: {backend: cuda}", device);
        restart("worker-2", "roles: [expert]", "experts: {backend: cuda}", device);
    }

    @AfterAll
    void stop() throws IOException {
        if (cluster != null) {
            cluster.close();
        }
    }

    private void restart(String worker, String... settings) throws IOException {
        Path config = data.resolve("config").resolve(worker + ".yaml");
        Files.write(config, List.of(settings), StandardOpenOption.APPEND);
        cluster.kill(worker);
        cluster.bringBack(List.of(worker));
        String log = Files.readString(data.resolve("logs").resolve(worker + ".log"));
        assertTrue(log.contains("on CUDA emulator"), worker + " does not compute on the device:\n" + log);
    }

    @Test
    void streamsAreThoseOfTheCpusAlsoWhenEachWorkerDies() throws IOException {
        assertEquals(onCpus, chat.stream(HttpChat.longAnswer(TOKENS, 7), events -> {}), "undisturbed");
        for (String victim : cluster.workers()) {
            var streamed = chat.stream(HttpChat.longAnswer(TOKENS, 7), events -> {
                if (events == KILL_AFTER) {
                    cluster.kill(victim);
                }
            });
            assertEquals(onCpus, streamed, "after the death of " + victim);
            cluster.bringBack(List.of(victim));
        }
    }
}
