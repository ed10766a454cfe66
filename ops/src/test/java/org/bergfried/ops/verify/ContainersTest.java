package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// The real image: a router and three workers, as the chart describes them, over mutual TLS. `ops/bergfried test
/// --full` starts the engine for it.
@Tag("containers")
@Timeout(240)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ContainersTest {
    private static final int TOKENS = 400;
    private static final int FIRST = 40;
    private static final int SECOND = 120;
    private static final long SIGTERM_EXIT = 143;

    @TempDir
    private static Path folder;

    private ContainerCluster cluster;
    private HttpChat.Streamed undisturbed;

    @BeforeAll
    void start() throws Exception {
        cluster = new ContainerCluster("containers", folder);
        cluster.awaitReady();
        undisturbed = stream(events -> {});
        assertTrue(undisturbed.ids().size() > SECOND * 2, "the answer is too short to be disturbed");
    }

    @AfterAll
    void stop() {
        cluster.close();
    }

    @BeforeEach
    void everybodyIsThere() {
        cluster.awaitReady();
    }

    @Test
    void answersAreThoseOfTheReference() throws IOException {
        byte[] file =
                Chart.read(Chart.PROJECT.resolve("ops/demo-model/answers.json")).getBytes(StandardCharsets.UTF_8);
        int compared = 0;
        for (JsonNode expected : HttpChat.JSON.readTree(file)) {
            if (compared++ == 8) {
                break;
            }
            Map<String, Object> body =
                    new HashMap<>(HttpChat.question(expected.path("question").asString()));
            body.put("stream", true);
            body.put(
                    "chat_template_kwargs",
                    Map.of("enable_thinking", expected.path("thinking").asBoolean()));
            var streamed = cluster.chat().stream(body, events -> {});
            String text = expected.path("thinking").asBoolean()
                    ? streamed.reasoning() + "</think>" + streamed.content()
                    : streamed.content();
            assertEquals(expected.path("text").asString(), text);
        }
    }

    @Test
    void streamSurvivesTheDeathsOfAnExpertHostAndOfItsHome() throws IOException {
        List<PodContainer> victims = new ArrayList<>();
        var streamed = stream(events -> {
            if (events == FIRST || events == SECOND) {
                victims.add(events == FIRST ? cluster.host() : cluster.home());
                victims.getLast().kill();
            }
        });
        assertEquals(undisturbed, streamed);
        assertEquals(2, victims.size());
        victims.forEach(PodContainer::restart);
    }

    @Test
    void frozenHomeIsReplacedAndComesBack() throws IOException {
        List<PodContainer> frozen = new ArrayList<>();
        var streamed = stream(events -> {
            if (events == FIRST) {
                frozen.add(cluster.home());
                frozen.getLast().pause();
            }
        });
        frozen.getLast().unpause();
        assertEquals(undisturbed, streamed);
        cluster.awaitReady();
        assertEquals(undisturbed, stream(events -> {}));
    }

    @Test
    void workerThatIsToldToEndGivesItsGenerationAway() throws IOException {
        List<PodContainer> ended = new ArrayList<>();
        List<Long> exitCodes = new ArrayList<>();
        var streamed = stream(events -> {
            if (events == FIRST) {
                ended.add(cluster.home());
                exitCodes.add(ended.getLast().stop(60));
            }
        });
        assertEquals(undisturbed, streamed);
        assertEquals(List.of(SIGTERM_EXIT), exitCodes);
        ended.getLast().restart();
    }

    @Test
    void processesHaveNoMoreThanTheyNeed() {
        for (PodContainer pod : cluster.pods()) {
            var container = pod.inspect();
            var host = container.getHostConfig();
            assertAll(
                    pod.name(),
                    () -> assertTrue(container.getConfig().getUser().startsWith(PodContainer.USER + ":")),
                    () -> assertEquals(true, host.getReadonlyRootfs()),
                    () -> assertEquals("[ALL]", Arrays.toString(host.getCapDrop())),
                    () -> assertEquals(List.of("no-new-privileges"), host.getSecurityOpts()),
                    () -> assertFalse(host.getPrivileged()),
                    () -> assertTrue(host.getMemory() > 0 && host.getMemory() < 1L << 30),
                    () -> assertEquals(false, container.getState().getOOMKilled()),
                    () -> assertEquals(List.of(), pod.changes()));
        }
    }

    private HttpChat.Streamed stream(HttpChat.EventHook hook) throws IOException {
        return cluster.chat().stream(HttpChat.longAnswer(TOKENS, 7), hook);
    }
}
