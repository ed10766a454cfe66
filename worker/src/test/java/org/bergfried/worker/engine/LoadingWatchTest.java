package org.bergfried.worker.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Optional;
import org.bergfried.contract.Clock;
import org.junit.jupiter.api.Test;

final class LoadingWatchTest {
    private long now;
    private long used;
    private final LoadingWatch watch = new LoadingWatch(
            "opening the model",
            () -> used,
            new Clock() {
                @Override
                public long nanoTime() {
                    return now;
                }

                @Override
                public long wallMillis() {
                    return 0;
                }
            },
            Duration.ofMinutes(2));

    @Test
    void aThreadThatUsesNoProcessorTimeIsStuckAfterThePatience() {
        pass(120, 0);
        assertEquals(Optional.empty(), watch.stuck());
        pass(5, 1);
        assertTrue(watch.stuck().orElseThrow().contains("no progress for 125 s while opening the model"));
    }

    @Test
    void aSlowThreadIsNotStuckHoweverLongItTakes() {
        for (int minute = 0; minute < 60; minute++) {
            pass(60, 20);
            assertEquals(Optional.empty(), watch.stuck());
        }
        pass(121, 0);
        assertTrue(watch.stuck().isPresent());
        pass(1, 20);
        assertEquals(Optional.empty(), watch.stuck());
    }

    @Test
    void anotherPhaseIsProgressAndTheEndIsFinal() {
        pass(100, 0);
        watch.phase("loading the trunk", 0);
        pass(100, 0);
        assertEquals(Optional.empty(), watch.stuck());
        pass(100, 0);
        assertTrue(watch.stuck().orElseThrow().contains("loading the trunk"));
        watch.done();
        assertEquals(Optional.empty(), watch.stuck());
    }

    @Test
    void progressNamesThePhaseAndItsBytesUntilTheEnd() {
        assertEquals("opening the model", watch.progress().orElseThrow());
        watch.phase("loading the trunk", 300 << 20);
        watch.add(40 << 20);
        watch.add(61 << 20);
        assertEquals("loading the trunk: 101 of 300 MiB", watch.progress().orElseThrow());
        watch.phase("the next", 0);
        assertEquals("the next", watch.progress().orElseThrow());
        watch.done();
        assertEquals(Optional.empty(), watch.progress());
    }

    private void pass(long seconds, long processorMillis) {
        now += Duration.ofSeconds(seconds).toNanos();
        used += Duration.ofMillis(processorMillis).toNanos();
    }
}
