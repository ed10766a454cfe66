package org.bergfried.worker.batch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.sample.Sampling;
import org.junit.jupiter.api.Test;

/// One turn after the other, without threads.
class BatchTest {
    private static final Sampling WARM = new Sampling(0.9, 0.95, 20, 0.01, 99);

    private final ManualClock clock = new ManualClock();
    private FakePages pages = new FakePages(64);
    private FakeRunner runner = new FakeRunner(pages, 64);
    private Batch batch = batch(16, 8);

    @Test
    void drawsTheSameTokensAloneAndAmongOthers() {
        List<Integer> alone = run(submit(prompt(70, 1), 50)).ids;
        var others = new ArrayList<Sequence>();
        for (int i = 0; i < 7; i++) {
            others.add(submit(prompt(3 + 17 * i, 100 + i), 30 + i));
        }
        List<Integer> among = run(submit(prompt(70, 1), 50)).ids;
        assertEquals(50, alone.size());
        assertEquals(alone, among);
        others.forEach(this::run);
        assertEquals(64, batch.load().pagesFree());
    }

    @Test
    void drawsTheSameTokensInChunksOfAnySize() {
        List<Integer> whole = run(submit(prompt(60, 2), 20)).ids;
        for (int chunk : new int[] {1, 7, 33, 60, 64}) {
            var request = new SequenceRequest(
                    "chunks", prompt(60, 2), new int[0], WARM, new int[0], 20, Long.MAX_VALUE, chunk, null);
            assertEquals(whole, run(batch.submit(request, () -> {})).ids, "chunk " + chunk);
        }
    }

    @Test
    void drawsTheSameTokensAcrossPreemptions() {
        List<Integer> alone = run(submit(prompt(40, 3), 100)).ids;
        reset(8, 64, 8, 8); // 256 positions for 4 sequences of 140
        var sequences = new ArrayList<Sequence>();
        for (int i = 0; i < 4; i++) {
            sequences.add(submit(prompt(40, 3), 100));
        }
        for (Sequence sequence : sequences) {
            assertEquals(alone, run(sequence).ids);
        }
        assertTrue(batch.load().preemptions() > 0);
        assertEquals(8, batch.load().pagesFree());
    }

    @Test
    void drawsTheSameTokensAfterKnownOnes() {
        Reader whole = run(submit(prompt(9, 4), 40));
        for (int known : new int[] {1, 17, 39}) {
            Reader rest = run(batch.submit(resumed(9, 4, whole.ids.subList(0, known), 40), () -> {}));
            assertEquals(known, rest.positions.getFirst());
            assertEquals(whole.ids.subList(known, 40), rest.ids);
            assertEquals(40, rest.tokenCount);
        }
    }

    @Test
    void endsAtOnceWhenTheKnownTokensAreTheWholeAnswer() {
        Reader whole = run(submit(prompt(9, 4), 5));
        Reader rest = run(batch.submit(resumed(9, 4, whole.ids, 5), () -> {}));
        assertEquals(List.of(), rest.ids);
        assertEquals(FinishReason.LENGTH, rest.reason);
    }

    @Test
    void endsWithAStopIdAsTheLastToken() {
        List<Integer> free = run(submit(prompt(5, 5), 30)).ids;
        int stop = free.get(12);
        Reader stopped = run(batch.submit(SequenceRequest.of("s", prompt(5, 5), WARM, new int[] {stop}, 30), () -> {}));
        int first = free.indexOf(stop);
        assertEquals(free.subList(0, first + 1), stopped.ids);
        assertEquals(FinishReason.STOP, stopped.reason);
        assertEquals(first + 1, stopped.tokenCount);
    }

    @Test
    void endsAtTheEndOfTheContext() {
        Reader reader = run(submit(prompt(500, 6), 100));
        assertEquals(12, reader.ids.size());
        assertEquals(FinishReason.LENGTH, reader.reason);
    }

    @Test
    void refusesAPromptThatLeavesNoRoomForAnAnswer() {
        var refusal = assertThrows(ClusterException.class, () -> submit(prompt(512, 6), 1));
        assertEquals(ErrorReason.CONTEXT_TOO_LONG, refusal.reason());
        assertTrue(refusal.text().contains("512"), refusal.text());
    }

    @Test
    void endsASequenceThatDoesNotFitTheCacheEvenAlone() {
        reset(2, 64, 4, 4);
        assertEquals(ErrorReason.CONTEXT_TOO_LONG, errorOf(submit(prompt(100, 7), 5)));
        assertEquals(ErrorReason.CONTEXT_TOO_LONG, errorOf(submit(prompt(60, 7), 50)));
        assertEquals(3, run(submit(prompt(60, 7), 3)).ids.size());
        assertEquals(2, batch.load().pagesFree());
    }

    @Test
    void refusesWhenTheQueueIsFull() {
        for (int i = 0; i < 8; i++) {
            submit(prompt(5, i), 5);
        }
        var refusal = assertThrows(ClusterException.class, () -> submit(prompt(5, 9), 5));
        assertEquals(ErrorReason.QUEUE_FULL, refusal.reason());
        batch.turn();
        submit(prompt(5, 9), 5);
    }

    @Test
    void cancellationFreesThePagesAtTheNextTurn() {
        Sequence sequence = submit(prompt(200, 8), 50);
        batch.turn();
        assertTrue(batch.load().pagesFree() < 64);
        sequence.cancel();
        batch.turn();
        assertEquals(64, batch.load().pagesFree());
        assertEquals(ErrorReason.CANCELLED, errorOf(sequence));
    }

    @Test
    void theDeadlineEndsRunningAndWaitingSequences() {
        reset(64, 64, 1, 8);
        Sequence runs = batch.submit(withDeadline(1000), () -> {});
        Sequence waits = batch.submit(withDeadline(2000), () -> {});
        batch.turn();
        clock.nanos = 1500;
        batch.turn();
        assertEquals(ErrorReason.DEADLINE, errorOf(runs));
        clock.nanos = 2500;
        assertEquals(ErrorReason.DEADLINE, errorOf(waits));
        assertEquals(64, batch.load().pagesFree());
    }

    @Test
    void aPoisonedSequenceEndsAlone() {
        int[] poisoned = prompt(10, 9);
        poisoned[4] = 39;
        runner.poisonId = 39;
        Sequence bad = submit(poisoned, 5);
        int[] clean = {1, 2, 3};
        Sequence good = submit(clean, 1);
        assertEquals(ErrorReason.NONFINITE_OUTPUT, errorOf(bad));
        assertEquals(FinishReason.LENGTH, run(good).reason);
    }

    @Test
    void anErrorOfTheStepEndsItsSequencesAndNotTheLoop() {
        runner.beforeStep = step -> {
            throw new ClusterException(ErrorReason.EXPERT_UNPLACED, "expert 3 of layer 1 has no host");
        };
        Sequence lost = submit(prompt(5, 1), 5);
        assertEquals(ErrorReason.EXPERT_UNPLACED, errorOf(lost));
        runner.beforeStep = step -> {};
        assertEquals(5, run(submit(prompt(5, 1), 5)).ids.size());
    }

    @Test
    void decodingSequencesHaveARowInEveryStepBesideLongPrompts() {
        Sequence decodes = submit(prompt(3, 1), 30);
        batch.turn();
        submit(prompt(400, 2), 1);
        submit(prompt(400, 3), 1);
        for (int turn = 2; turn <= 12; turn++) {
            batch.turn();
            assertEquals(turn, decodes.answerCount());
        }
        assertTrue(runner.rowsPerStep.stream().allMatch(rows -> rows <= 64));
        assertEquals(33, runner.rowsPerStep.get(5), "one decoding row and two chunks of 16");
    }

    @Test
    void promptsShareTheRowsThatAreLeft() {
        reset(64, 16, 8, 8);
        for (int i = 0; i < 3; i++) {
            submit(prompt(100, i), 1);
        }
        var sliced = new int[3];
        runner.beforeStep = step -> step.slices().forEach(slice -> sliced[slice.ids()[99] % 3]++);
        for (int i = 0; i < 18; i++) {
            batch.turn();
        }
        assertTrue(Arrays.stream(sliced).allMatch(count -> count == 6), Arrays.toString(sliced));
    }

    @Test
    void showsTheLogitsOfEveryPromptTokenOnce() {
        var seen = new ArrayList<Integer>();
        var sums = new ArrayList<Float>();
        LogitsSink sink = (position, count, logits) -> {
            for (int row = 0; row < count; row++) {
                seen.add(position + row);
                sums.add(logits.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, (long) row * FakeRunner.VOCABULARY));
            }
        };
        run(batch.submit(
                new SequenceRequest("a", prompt(40, 1), new int[0], WARM, new int[0], 3, Long.MAX_VALUE, 7, sink),
                () -> {}));
        List<Float> inChunks = List.copyOf(sums);
        sums.clear();
        run(batch.submit(
                new SequenceRequest("b", prompt(40, 1), new int[0], WARM, new int[0], 3, Long.MAX_VALUE, 64, sink),
                () -> {}));
        assertEquals(80, seen.size());
        for (int i = 0; i < 80; i++) {
            assertEquals(i % 40, seen.get(i));
        }
        assertEquals(inChunks, sums);
    }

    @Test
    void drainingFinishesWhatHasBegunAndNothingElse() {
        reset(64, 64, 1, 8);
        Sequence begun = submit(prompt(5, 1), 20);
        batch.turn();
        Sequence queued = submit(prompt(5, 2), 20);
        batch.drain();
        assertEquals(
                ErrorReason.DRAINING,
                assertThrows(ClusterException.class, () -> submit(prompt(5, 3), 1))
                        .reason());
        assertEquals(ErrorReason.DRAINING, errorOf(queued));
        assertEquals(20, run(begun).ids.size());
        assertTrue(batch.isEmpty());
    }

    @Test
    void aFullOutboxPausesItsSequenceAndTimeEndsIt() {
        reset(64, 64, 4, 4);
        Sequence unread = submit(prompt(5, 1), 500);
        for (int i = 0; i < 400; i++) {
            batch.turn();
        }
        assertEquals(300, unread.answerCount());
        assertFalse(batch.turn(), "nothing runs while the only sequence pauses");
        assertEquals(4, run(submit(prompt(5, 2), 4)).ids.size());
        clock.nanos = Duration.ofSeconds(61).toNanos();
        batch.turn();
        assertEquals(ErrorReason.CANCELLED, errorOf(unread));
        assertEquals(64, batch.load().pagesFree());
    }

    @Test
    void aPausedSequenceYieldsItsPagesToOneThatNeedsThem() {
        reset(12, 64, 4, 4); // 384 positions
        Sequence unread = submit(prompt(5, 1), 350);
        for (int i = 0; i < 320; i++) {
            batch.turn();
        }
        assertEquals(300, unread.answerCount());
        assertEquals(20, run(submit(prompt(150, 2), 20)).ids.size());
        assertEquals(1, batch.load().preemptions());
    }

    private void reset(int pageCount, int rowsMax, int sequencesMax, int queueMax) {
        pages = new FakePages(pageCount);
        runner = new FakeRunner(pages, rowsMax);
        batch = batch(sequencesMax, queueMax);
    }

    private Batch batch(int sequencesMax, int queueMax) {
        return new Batch(
                runner, pages, new BatchLimits(512, 16, sequencesMax, queueMax, 300, Duration.ofSeconds(60)), clock);
    }

    private Sequence submit(int[] prompt, int tokensMax) {
        return batch.submit(SequenceRequest.of("s", prompt, WARM, new int[0], tokensMax), () -> {});
    }

    private static SequenceRequest resumed(int promptLength, int seed, List<Integer> known, int tokensMax) {
        int[] knownIds = known.stream().mapToInt(Integer::intValue).toArray();
        return new SequenceRequest(
                "r", prompt(promptLength, seed), knownIds, WARM, new int[0], tokensMax, Long.MAX_VALUE, 0, null);
    }

    private static SequenceRequest withDeadline(long nanos) {
        return new SequenceRequest("d", prompt(4, 1), new int[0], WARM, new int[0], 400, nanos, 0, null);
    }

    private static int[] prompt(int length, int seed) {
        int[] ids = new Random(seed).ints(length, 0, 30).toArray();
        ids[length - 1] = seed % 30;
        return ids;
    }

    private Reader run(Sequence sequence) {
        var reader = new Reader();
        Thread deliverer = Thread.ofVirtual().start(() -> {
            try {
                sequence.outbox().deliver(reader, sequence.request().knownIds().length);
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
        });
        for (int turn = 0; reader.ended.getCount() > 0 && turn < 50_000_000; turn++) {
            if (!batch.turn()) {
                Thread.onSpinWait();
            }
        }
        assertTrue(reader.ended.getCount() == 0, "the sequence never ended");
        assertFalse(deliverer.isInterrupted());
        return reader;
    }

    private ErrorReason errorOf(Sequence sequence) {
        ClusterException error = run(sequence).error;
        assertNotNull(error);
        return error.reason();
    }
}
