package org.bergfried.worker.expert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.bergfried.contract.tensor.DispatchClass;
import org.bergfried.contract.tensor.DispatchFrame;
import org.bergfried.contract.tensor.ResultFrame;
import org.bergfried.contract.tensor.RowEncoding;
import org.junit.jupiter.api.Test;

final class JobQueueTest {
    private static final int COLUMNS = 32;
    private static final int BATCH_ROWS = 1; // one job a batch

    private final JobQueue queue = new JobQueue(1000);

    @Test
    void decodesWithoutAPauseLetAPrefillThroughAfterEightBatches() throws InterruptedException {
        for (int i = 0; i < 3; i++) {
            offer(DispatchClass.PREFILL);
        }
        for (int i = 0; i < 18; i++) {
            offer(DispatchClass.DECODE);
        }
        var expected = new ArrayList<DispatchClass>();
        for (int turn = 0; turn < 2; turn++) {
            expected.addAll(Collections.nCopies(8, DispatchClass.DECODE));
            expected.add(DispatchClass.PREFILL);
        }
        expected.addAll(Collections.nCopies(2, DispatchClass.DECODE));
        expected.add(DispatchClass.PREFILL);
        assertEquals(expected, take(21));
    }

    @Test
    void aPrefillThatComesLateWaitsForEightBatchesToo() throws InterruptedException {
        for (int i = 0; i < 30; i++) {
            offer(DispatchClass.DECODE);
        }
        take(20);
        offer(DispatchClass.PREFILL);
        List<DispatchClass> next = take(9);
        assertEquals(8, next.indexOf(DispatchClass.PREFILL));
    }

    private List<DispatchClass> take(int batches) throws InterruptedException {
        var classes = new ArrayList<DispatchClass>();
        for (int i = 0; i < batches; i++) {
            List<ExpertJob> batch = queue.take(BATCH_ROWS);
            assertEquals(1, batch.size());
            classes.add(batch.getFirst().header().dispatchClass());
        }
        return classes;
    }

    private void offer(DispatchClass dispatchClass) {
        var header = new DispatchFrame.Header(
                1, 1, 1, dispatchClass, RowEncoding.FLOATS, false, 0, 0, 1, 30_000, 1, 1, COLUMNS);
        byte[] bytes = new byte[(int) DispatchFrame.bytes(RowEncoding.FLOATS, 1, 1, COLUMNS)];
        DispatchFrame frame = DispatchFrame.create(MemorySegment.ofArray(bytes), header);
        assertTrue(queue.offer(new ExpertJob(frame, new Ignored(), 0)));
    }

    private static final class Ignored implements Reply {
        @Override
        public void rows(long dispatchId, int count, MemorySegment sums, MemorySegment poisoned) {
            // Nothing is computed here.
        }

        @Override
        public void refused(ResultFrame.Outcome outcome, long dispatchId, long epoch, int... missing) {
            // Nothing is refused here.
        }
    }
}
