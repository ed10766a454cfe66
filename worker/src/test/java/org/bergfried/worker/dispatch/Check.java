package org.bergfried.worker.dispatch;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.bergfried.worker.expert.Workload;

/// Dispatches a workload and compares with the twin, bit for bit.
public final class Check {
    private Check() {}

    public static void equalsTwin(Dispatcher dispatcher, Workload work) {
        dispatcher.beginStep(1);
        layerEqualsTwin(dispatcher, work);
    }

    public static void layerEqualsTwin(Dispatcher dispatcher, Workload work) {
        duringDispatch(dispatcher, work, () -> {});
    }

    /// Does something while the rows are on their way.
    public static void duringDispatch(Dispatcher dispatcher, Workload work, Runnable meanwhile) {
        long[] sums = new long[work.sums.length];
        int[] poisoned = new int[work.rows];
        Arrays.fill(sums, -1); // both are to be overwritten
        Arrays.fill(poisoned, -1);
        dispatcher.dispatch(work.assignment());
        meanwhile.run();
        dispatcher.combine(MemorySegment.ofArray(sums), MemorySegment.ofArray(poisoned));
        int columns = sums.length / work.rows;
        for (int row = 0; row < work.rows; row++) {
            assertEquals(work.poisoned[row], poisoned[row], "poison of row " + row);
            for (int column = 0; column < columns && poisoned[row] == 0; column++) {
                int at = row * columns + column;
                assertEquals(work.sums[at], sums[at], "row " + row + ", column " + column);
            }
        }
    }
}
