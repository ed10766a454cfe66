package org.bergfried.worker.expert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.cluster.ExpertSet;
import org.bergfried.contract.tensor.DispatchClass;
import org.bergfried.contract.tensor.DispatchFrame;
import org.bergfried.contract.tensor.HelloFrame;
import org.bergfried.contract.tensor.ResultFrame.Outcome;
import org.bergfried.contract.tensor.RowEncoding;
import org.bergfried.worker.dispatch.Dispatcher.RowData;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.choice.Backends;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class ExpertHostTest {
    private static final long SEED = 3;
    private static final int COLUMNS = 64;

    private final SyntheticModel model = new SyntheticModel(SyntheticModel.Types.CODES, COLUMNS, 32, 8, SEED);
    private final Backend backend = Backends.create("scalar", 1);
    private final ExpertStore store = new ExpertStore(
            model, backend, ExpertStore.Budget.wholeModel(ExpertSizes.onCpu(model)), ExpertStore.Verifier.NONE);
    private final MovedClock clock = new MovedClock();
    private final ExpertHost host =
            new ExpertHost(model, store, backend, new HostSettings("w", 1, 40, 50, 20, 2), clock);
    private final LinkedBlockingQueue<Answer> answers = new LinkedBlockingQueue<>();
    private long nextId = 1;

    private record Answer(long id, Outcome outcome, long epoch, int[] missing, long[] sums) {}

    private static final class MovedClock implements Clock {
        volatile long nanos;

        @Override
        public long nanoTime() {
            return nanos;
        }

        @Override
        public long wallMillis() {
            return 0;
        }
    }

    @AfterEach
    void close() {
        host.close();
        store.close();
        backend.close();
    }

    @Test
    void anExpertThatIsNotInMemoryIsMissingOrTheFrameIsStale() throws InterruptedException {
        var work = new Workload(model, 1, 2, SEED);
        host.sawEpoch(5);
        submit(work, DispatchClass.DECODE, false, 5);
        Answer missing = next();
        assertEquals(Outcome.MISSING, missing.outcome);
        assertArrayEquals(Arrays.stream(work.ids).distinct().sorted().toArray(), missing.missing);
        submit(work, DispatchClass.DECODE, false, 4);
        Answer stale = next();
        assertEquals(Outcome.STALE, stale.outcome);
        assertEquals(5, stale.epoch);
    }

    @Test
    void framesThatWaitTogetherEachGetTheirOwnSums() throws InterruptedException {
        installAll();
        var blocked = block();
        var works = new ArrayList<Workload>();
        for (int i = 0; i < 6; i++) {
            works.add(new Workload(model, 1, 1 + i, SEED + i));
            submit(works.getLast(), DispatchClass.PREFILL, false, 1);
        }
        blocked.countDown();
        for (Workload work : works) {
            assertArrayEquals(work.sums, next().sums);
        }
    }

    @Test
    void aDecodeGoesBeforePrefillsThatCameEarlier() throws InterruptedException {
        installAll();
        var blocked = block();
        long prefill = submit(new Workload(model, 1, 5, SEED), DispatchClass.PREFILL, false, 1);
        long decode = submit(new Workload(model, 2, 1, SEED), DispatchClass.DECODE, false, 1);
        blocked.countDown();
        assertEquals(List.of(decode, prefill), List.of(next().id, next().id));
    }

    @Test
    void aFullQueueAnswersBusyAtOnce() throws InterruptedException {
        installAll();
        var blocked = block();
        for (int i = 0; i < 2; i++) {
            submit(new Workload(model, 1, 20, SEED), DispatchClass.PREFILL, false, 1);
        }
        long busy = submit(new Workload(model, 1, 20, SEED), DispatchClass.PREFILL, false, 1);
        Answer first = next();
        assertEquals(Outcome.BUSY, first.outcome);
        assertEquals(busy, first.id);
        blocked.countDown();
        assertEquals(Outcome.ROWS, next().outcome);
        assertEquals(Outcome.ROWS, next().outcome);
    }

    @Test
    void aFrameWhoseDeadlinePassedInTheQueueIsNotComputed() throws InterruptedException {
        installAll();
        var blocked = block();
        submit(new Workload(model, 1, 1, SEED), DispatchClass.DECODE, false, 1);
        clock.nanos = TimeUnit.SECONDS.toNanos(10);
        blocked.countDown();
        assertEquals(Outcome.BUSY, next().outcome);
    }

    @Test
    void aDrainingHostFinishesWhatWaitsAndTakesNothingNew() throws InterruptedException {
        installAll();
        var blocked = block();
        submit(new Workload(model, 1, 1, SEED), DispatchClass.DECODE, false, 1);
        host.drain();
        submit(new Workload(model, 1, 1, SEED), DispatchClass.DECODE, false, 1);
        assertEquals(Outcome.DRAINING, next().outcome);
        blocked.countDown();
        assertEquals(Outcome.ROWS, next().outcome);
    }

    @Test
    void whatWaitsIsNotComputedAnyMoreWhenTheHostIsAbandoned() throws InterruptedException {
        installAll();
        var blocked = block();
        submit(new Workload(model, 1, 1, SEED), DispatchClass.DECODE, false, 1);
        host.abandon();
        assertEquals(Outcome.DRAINING, next().outcome);
        submit(new Workload(model, 1, 1, SEED), DispatchClass.DECODE, false, 1);
        assertEquals(Outcome.DRAINING, next().outcome);
        blocked.countDown();
    }

    @Test
    void anExpertEvictedWhileItIsUsedStaysUntilTheBatchIsDone() throws InterruptedException {
        installAll();
        var blocked = block();
        var freed = store.evict(store.hot()); // the blocked batch still holds its experts
        assertEquals(0, store.hotBytes());
        assertFalse(freed.isDone());
        assertTrue(store.freeBytes() < ExpertSizes.onCpu(model).all());
        blocked.countDown();
        submit(new Workload(model, 1, 1, SEED), DispatchClass.DECODE, true, 1);
        assertArrayEquals(new Workload(model, 1, 1, SEED).sums, next().sums);
        freed.join();
        assertEquals(ExpertSizes.onCpu(model).all(), store.freeBytes());
    }

    @Test
    void waitsForFramesOfOlderEpochsThatNeedTheExpertsAndForNoOthers() throws InterruptedException {
        installAll();
        var blocked = block();
        var work = new Workload(model, 1, 1, SEED);
        submit(work, DispatchClass.DECODE, false, 3);
        ExpertSet none = ExpertSet.none(ExpertStore.facts(model.spec()));
        ExpertSet used = none.with(1, work.ids[0]);
        ExpertSet ofOtherLayer = none.with(2, work.ids[0]);
        assertEquals(1, host.awaitAnswered(used, 4, Duration.ZERO));
        assertEquals(0, host.awaitAnswered(used, 3, Duration.ofSeconds(30)));
        assertEquals(0, host.awaitAnswered(ofOtherLayer, 4, Duration.ofSeconds(30)));
        blocked.countDown();
        assertEquals(0, host.awaitAnswered(used, 4, Duration.ofSeconds(30)));
        assertEquals(Outcome.ROWS, next().outcome);
    }

    @Test
    void measuresRowsThroughOneExpert() throws InterruptedException {
        installAll();
        assertEquals(0, host.rowsPerSecond());
        for (int batch = 1; batch <= 2; batch++) {
            submit(new Workload(model, 1, 5, SEED), DispatchClass.DECODE, false, 1);
            next();
        }
        // The clock stands still unless it is moved, so no time was measured.
        assertEquals(0, host.rowsPerSecond());
        var throughput = new Throughput();
        throughput.add(1800, 600_000_000);
        assertEquals(0, throughput.perSecond(), "less than a second says nothing");
        throughput.add(1800, 600_000_000);
        assertEquals(3000, throughput.perSecond(), 100);
        for (int batch = 0; batch < 100; batch++) {
            throughput.add(600, 1_000_000_000);
        }
        assertEquals(600, throughput.perSecond(), 1, "what was long ago is forgotten");
    }

    @Test
    void framesThatDoNotFitTheModelAreRefused() {
        for (int flaw = 0; flaw < 5; flaw++) {
            var header = new DispatchFrame.Header(
                    1,
                    1,
                    flaw == 0 ? 0 : 1,
                    DispatchClass.DECODE,
                    RowEncoding.QUANTISED,
                    true,
                    flaw == 1 ? 0 : HelloFrame.modelTag(model.digest()),
                    flaw == 2 ? 0 : HelloFrame.numericsTag(model.numericsId()),
                    1,
                    1000,
                    1,
                    1,
                    flaw == 3 ? 96 : COLUMNS);
            var frame = DispatchFrame.create(MemorySegment.ofArray(new byte[8192]), header);
            frame.set(0, 0, flaw == 4 ? 8 : 0, 1);
            assertThrows(ClusterException.class, () -> host.submit(frame, new Recorder()), "flaw " + flaw);
        }
        assertTrue(answers.isEmpty());
    }

    @Test
    void quantisedRowsForFloatWeightsAreRefused() {
        var floats = new SyntheticModel(SyntheticModel.Types.FLOATS, COLUMNS, 32, 8, SEED);
        var floatStore = new ExpertStore(
                floats, backend, ExpertStore.Budget.wholeModel(ExpertSizes.onCpu(floats)), ExpertStore.Verifier.NONE);
        try (floatStore;
                var floatHost =
                        new ExpertHost(floats, floatStore, backend, new HostSettings("f", 1, 8, 8, 8, 1), clock)) {
            DispatchFrame frame = frame(new Workload(model, 1, 1, SEED), 1, DispatchClass.DECODE, true, 1);
            assertThrows(ClusterException.class, () -> floatHost.submit(frame, new Recorder()));
        }
    }

    /// Keeps the compute thread in a reply until the latch is opened.
    private CountDownLatch block() throws InterruptedException {
        var entered = new CountDownLatch(1);
        var opened = new CountDownLatch(1);
        DispatchFrame frame = frame(new Workload(model, 2, 1, SEED), nextId++, DispatchClass.DECODE, false, 1);
        host.submit(frame, new Reply() {
            @Override
            public void rows(long dispatchId, int rows, MemorySegment sums, MemorySegment poisoned) {
                entered.countDown();
                try {
                    assertTrue(opened.await(30, TimeUnit.SECONDS));
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }

            @Override
            public void refused(Outcome outcome, long dispatchId, long epoch, int... missing) {
                throw new AssertionError("refused with " + outcome);
            }
        });
        assertTrue(entered.await(30, TimeUnit.SECONDS));
        return opened;
    }

    private void installAll() {
        store.install(ExpertSet.all(ExpertStore.facts(model.spec()))).done().join();
    }

    private long submit(Workload work, DispatchClass dispatchClass, boolean cold, long epoch) {
        long id = nextId++;
        host.submit(frame(work, id, dispatchClass, cold, epoch), new Recorder());
        return id;
    }

    private Answer next() throws InterruptedException {
        Answer answer = answers.poll(30, TimeUnit.SECONDS);
        if (answer == null) {
            throw new AssertionError("no answer");
        }
        return answer;
    }

    private static DispatchFrame frame(Workload work, long id, DispatchClass dispatchClass, boolean cold, long epoch) {
        var header = new DispatchFrame.Header(
                id,
                1,
                work.layer,
                dispatchClass,
                RowEncoding.QUANTISED,
                cold,
                HelloFrame.modelTag(work.model.digest()),
                HelloFrame.numericsTag(work.model.numericsId()),
                epoch,
                5000,
                work.rows,
                SyntheticModel.CHOSEN,
                COLUMNS);
        var frame = DispatchFrame.create(MemorySegment.ofArray(new byte[1 << 16]), header);
        for (int i = 0; i < work.ids.length; i++) {
            frame.set(i / SyntheticModel.CHOSEN, i % SyntheticModel.CHOSEN, work.ids[i], work.weights[i]);
        }
        var rows = (RowData.Quantised) work.assignment().rows();
        frame.values().copyFrom(rows.q());
        frame.scales().copyFrom(rows.scales());
        return frame;
    }

    private final class Recorder implements Reply {
        @Override
        public void rows(long dispatchId, int rows, MemorySegment sums, MemorySegment poisoned) {
            answers.add(new Answer(dispatchId, Outcome.ROWS, 0, new int[0], sums.toArray(ValueLayout.JAVA_LONG)));
        }

        @Override
        public void refused(Outcome outcome, long dispatchId, long epoch, int... missing) {
            answers.add(new Answer(dispatchId, outcome, epoch, missing, new long[0]));
        }
    }
}
