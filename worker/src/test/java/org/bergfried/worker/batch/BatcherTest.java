package org.bergfried.worker.batch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.SystemClock;
import org.bergfried.worker.sample.Sampling;
import org.junit.jupiter.api.Test;

/// The step loop with its real thread and real readers.
class BatcherTest {
    private final FakePages pages = new FakePages(64);
    private final FakeRunner runner = new FakeRunner(pages, 64);
    private final ManualClock clock = new ManualClock();
    private final AtomicReference<Throwable> bug = new AtomicReference<>();

    @Test
    void aReaderThatReadsNothingStallsNobodyAndMissesNothing() throws Exception {
        try (Batcher batcher = batcher(8)) {
            var slow = new Reader(0);
            batcher.submit(request("slow", 200), slow);
            var fast = new Reader();
            batcher.submit(request("fast", 200), fast);
            fast.awaitEnd();
            assertEquals(200, fast.ids.size());
            assertEquals(0, slow.ids.size());
            slow.allowed.release(200);
            slow.awaitEnd();
            assertEquals(fast.ids, slow.ids);
            assertEquals(FinishReason.LENGTH, slow.reason);
        }
    }

    @Test
    void aReaderThatReadsNothingForTooLongIsCancelled() throws Exception {
        try (Batcher batcher = batcher(8)) {
            var never = new Reader(3);
            batcher.submit(request("never", 200), never);
            var fast = new Reader();
            batcher.submit(request("fast", 200), fast);
            fast.awaitEnd();
            clock.nanos = Duration.ofSeconds(62).toNanos();
            never.awaitEnd();
            assertNotNull(never.error);
            assertEquals(ErrorReason.CANCELLED, never.error.reason());
            assertEquals(fast.ids.subList(0, 3), never.ids);
        }
    }

    @Test
    void manySequencesFromManyThreadsGetTheirOwnTokens() throws Exception {
        try (Batcher batcher = batcher(64)) {
            var readers = new ArrayList<Reader>();
            for (int i = 0; i < 40; i++) {
                var reader = new Reader();
                readers.add(reader);
                int index = i;
                Thread.ofVirtual().start(() -> batcher.submit(request("many" + index, 60), reader));
            }
            for (Reader reader : readers) {
                reader.awaitEnd();
                assertEquals(readers.getFirst().ids, reader.ids);
            }
        }
    }

    @Test
    void cancellingWakesTheReaderThatBlocks() throws Exception {
        try (Batcher batcher = batcher(4)) {
            var reader = new Reader(0);
            Batcher.Handle handle = batcher.submit(request("c", 100), reader);
            handle.cancel();
            reader.awaitEnd();
            assertNotNull(reader.error);
            assertEquals(ErrorReason.CANCELLED, reader.error.reason());
        }
    }

    @Test
    void afterAFailureNothingIsComputedAndEverySequenceHearsWhy() throws Exception {
        try (Batcher batcher = batcher(1000)) {
            var running = new Reader();
            var begun = new CountDownLatch(1);
            var failing = new CountDownLatch(1);
            runner.beforeStep = step -> {
                begun.countDown();
                hold(failing); // else the loop could reach the answer's end first
            };
            batcher.submit(request("running", 100_000), running);
            assertTrue(begun.await(10, TimeUnit.SECONDS));
            batcher.fail(new ClusterException(ErrorReason.WEIGHTS_CORRUPT, "a file has changed"));
            failing.countDown();
            running.awaitEnd();
            assertNotNull(running.error);
            assertEquals(ErrorReason.WEIGHTS_CORRUPT, running.error.reason());
            assertTrue(batcher.awaitDrained(Duration.ofSeconds(10)));
            var late = assertThrows(ClusterException.class, () -> batcher.submit(request("late", 10), new Reader()));
            assertEquals(ErrorReason.DRAINING, late.reason());
        }
    }

    @Test
    void drainsAndThenRefuses() throws Exception {
        try (Batcher batcher = batcher(1000)) {
            var reader = new Reader();
            var begun = new CountDownLatch(1);
            runner.beforeStep = step -> begun.countDown();
            batcher.submit(request("last", 300), reader);
            assertTrue(begun.await(10, TimeUnit.SECONDS));
            batcher.drain();
            assertTrue(batcher.awaitDrained(Duration.ofSeconds(20)));
            reader.awaitEnd();
            assertEquals(300, reader.ids.size());
            var refusal = assertThrows(ClusterException.class, () -> batcher.submit(request("late", 1), new Reader()));
            assertEquals(ErrorReason.DRAINING, refusal.reason());
        }
    }

    @Test
    void aBugEndsTheLoopTellsTheOwnerAndFailsTheSequences() throws Exception {
        try (Batcher batcher = batcher(8)) {
            runner.beforeStep = step -> {
                throw new IllegalStateException("wrong page table");
            };
            var reader = new Reader();
            batcher.submit(request("b", 10), reader);
            reader.awaitEnd();
            assertNotNull(reader.error);
            assertEquals(ErrorReason.INTERNAL, reader.error.reason());
        }
        assertTrue(String.valueOf(bug.get()).contains("wrong page table"));
    }

    @Test
    void theLoopTurnsWhileNothingRuns() throws Exception {
        var ticking = new SystemClock();
        var limits = new BatchLimits(512, 16, 8, 64, 8, Duration.ofSeconds(60));
        try (Batcher batcher = new Batcher(runner, pages, limits, ticking, (thread, error) -> bug.set(error))) {
            long first = batcher.load().turnNanos();
            long giveUp = ticking.nanoTime() + Duration.ofSeconds(10).toNanos();
            while (batcher.load().turnNanos() == first && ticking.nanoTime() < giveUp) {
                Thread.onSpinWait();
            }
            assertTrue(batcher.load().turnNanos() > first);
        }
    }

    private static void hold(CountDownLatch latch) {
        try {
            assertTrue(latch.await(10, TimeUnit.SECONDS));
        } catch (InterruptedException nobodyInterruptsTheLoop) {
            throw new IllegalStateException(nobodyInterruptsTheLoop);
        }
    }

    private Batcher batcher(int outboxTokens) {
        var limits = new BatchLimits(512, 16, 8, 64, outboxTokens, Duration.ofSeconds(60));
        return new Batcher(runner, pages, limits, clock, (thread, error) -> bug.set(error));
    }

    private static SequenceRequest request(String id, int tokens) {
        return SequenceRequest.of(id, new int[] {3, 1, 4, 1, 5}, new Sampling(0.8, 1, 0, 0, 7), new int[0], tokens);
    }
}
