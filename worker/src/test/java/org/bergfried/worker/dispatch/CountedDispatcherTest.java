package org.bergfried.worker.dispatch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import org.bergfried.worker.expert.ExpertStore;
import org.bergfried.worker.expert.SyntheticModel;
import org.bergfried.worker.expert.Workload;
import org.junit.jupiter.api.Test;

final class CountedDispatcherTest {
    private static final SyntheticModel MODEL = new SyntheticModel(SyntheticModel.Types.CODES, 64, 32, 10, 5);

    private final ExpertLoad load = new ExpertLoad(ExpertStore.facts(MODEL.spec()));
    private final AtomicInteger sent = new AtomicInteger();
    private final Dispatcher counted = new CountedDispatcher(new Sent(), load);

    private final class Sent implements Dispatcher {
        @Override
        public void beginStep(long step) {
            // Nothing to fix.
        }

        @Override
        public void dispatch(Assignment assignment) {
            sent.addAndGet(assignment.n());
        }

        @Override
        public void combine(MemorySegment sums, MemorySegment poisoned) {
            // Nothing was sent anywhere.
        }

        @Override
        public void close() {
            // Nothing is open.
        }
    }

    @Test
    void everyRowCountsForEachOfItsExpertsAndLayersAreApart() {
        var expected = new long[3][10];
        for (int layer : new int[] {1, 2, 2}) {
            var work = new Workload(MODEL, layer, 7 * layer, layer);
            for (int id : work.ids) {
                expected[layer][id]++;
            }
            counted.dispatch(work.assignment());
        }
        for (int layer = 1; layer <= 2; layer++) {
            for (int expert = 0; expert < 10; expert++) {
                assertEquals(expected[layer][expert], load.rows(layer, expert));
            }
        }
        assertEquals(7 + 14 + 14, sent.get());
    }

    @Test
    void theRowOfAProbeIsSentAndNotCounted() {
        load.probed(true);
        counted.dispatch(new Workload(MODEL, 1, 1, 1).assignment());
        assertEquals(0, sum(1), "a probe");
        counted.dispatch(new Workload(MODEL, 1, 2, 1).assignment());
        long counting = sum(1);
        assertTrue(counting > 0, "questions beside a probe");
        load.probed(false);
        counted.dispatch(new Workload(MODEL, 1, 1, 1).assignment());
        assertTrue(sum(1) > counting, "a question");
        assertEquals(1 + 2 + 1, sent.get());
    }

    private long sum(int layer) {
        long sum = 0;
        for (int expert = 0; expert < 10; expert++) {
            sum += load.rows(layer, expert);
        }
        return sum;
    }
}
