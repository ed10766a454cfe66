package org.bergfried.worker.dispatch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import org.bergfried.contract.Clock;
import org.bergfried.contract.cluster.PlacementFacts;
import org.junit.jupiter.api.Test;

/// Layers 1 and 3 with four experts each.
final class LoadImbalanceTest {
    private final long[][] rows = new long[4][4]; // [layer, expert]
    private long nanos;
    private final LoadImbalance imbalance = new LoadImbalance(
            new PlacementFacts(List.of(1, 3), 4), (layer, expert) -> rows[layer][expert], new Clock() {
                @Override
                public long nanoTime() {
                    return nanos;
                }

                @Override
                public long wallMillis() {
                    return 0;
                }
            });

    @Test
    void isOfTheLayerWhereItIsLargest() {
        rows[1] = new long[] {5, 5, 5, 5};
        assertEquals(1, imbalance.worst());
        rows[3] = new long[] {10, 20, 5, 5};
        assertEquals(2, imbalance.worst());
        rows[1] = new long[] {20, 0, 0, 0};
        assertEquals(4, imbalance.worst());
    }

    @Test
    void isNoNumberWithoutRows() {
        assertTrue(Double.isNaN(imbalance.worst()));
    }

    @Test
    void forgetsRowsAfterTwoMinutes() {
        rows[1] = new long[] {100, 0, 0, 0};
        assertEquals(4, imbalance.worst());
        pass(Duration.ofSeconds(61));
        assertEquals(4, imbalance.worst());
        rows[1] = new long[] {110, 10, 10, 10};
        assertEquals(3.1428, imbalance.worst(), 0.001, "the first minute counts for another one");
        pass(Duration.ofSeconds(61));
        assertEquals(1, imbalance.worst(), "only what came since the first minute counts");
    }

    private void pass(Duration time) {
        nanos += time.toNanos();
    }
}
