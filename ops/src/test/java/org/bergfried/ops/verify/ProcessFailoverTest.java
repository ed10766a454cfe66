package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// Real processes, killed while they answer. One of the victims is the stream's home, the others host its experts:
/// which
/// is which follows from session affinity, so each is killed in turn.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ProcessFailoverTest {
    private static final int TOKENS = 600;
    private static final int KILL_AFTER = 40;

    @TempDir
    private static Path data;

    private RunningCluster cluster;
    private HttpChat chat;
    private HttpChat.Streamed undisturbed;

    @BeforeAll
    void start() throws IOException {
        cluster = RunningCluster.start(data, 3);
        chat = new HttpChat(cluster.url());
        undisturbed = chat.stream(HttpChat.longAnswer(TOKENS, 7), events -> {});
        assertTrue(undisturbed.ids().size() > KILL_AFTER * 4, "the answer is too short to be disturbed");
    }

    @AfterAll
    void stop() throws IOException {
        cluster.close();
    }

    @Test
    void streamSurvivesTheDeathOfEachWorkerAndTheWorkerComesBack() throws IOException {
        for (String victim : cluster.workers()) {
            var streamed = chat.stream(HttpChat.longAnswer(TOKENS, 7), events -> {
                if (events == KILL_AFTER) {
                    cluster.kill(victim);
                }
            });
            assertEquals(undisturbed, streamed, "after the death of " + victim);
            cluster.bringBack(List.of(victim));
        }
    }

    @Test
    void streamSurvivesTwoDeathsOneAfterTheOther() throws IOException {
        List<String> workers = cluster.workers();
        for (List<String> victims : List.of(workers.subList(0, 2), workers.subList(1, 3))) {
            var next = new AtomicInteger();
            var streamed = chat.stream(HttpChat.longAnswer(TOKENS, 7), events -> {
                if (events == KILL_AFTER || events == KILL_AFTER * 3) {
                    cluster.kill(victims.get(next.getAndIncrement()));
                }
            });
            assertEquals(undisturbed, streamed, "after the deaths of " + victims);
            cluster.bringBack(victims);
        }
    }

    @Test
    void otherSeedGivesOtherText() throws IOException {
        var other = chat.stream(HttpChat.longAnswer(TOKENS, 8), events -> {});
        assertFalse(other.content().equals(undisturbed.content()));
    }
}
