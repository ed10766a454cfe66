package org.bergfried.ops.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.bergfried.contract.SystemClock;
import org.junit.jupiter.api.Test;

final class PlannerBenchmarkTest {
    @Test
    void tellsTimeStepsAndBalanceOfEachCase() {
        List<String> lines = new PlannerBenchmark(new SystemClock(), 8).run();
        assertEquals("58 layers of 256 experts on 8 workers", lines.getFirst());
        assertEquals(9, lines.size());
        assertTrue(lines.get(3).startsWith("from an even placement"), lines.get(3));
    }
}
