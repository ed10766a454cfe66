package org.bergfried.worker.tool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.bergfried.contract.SystemClock;
import org.bergfried.worker.kernel.choice.Peaks;
import org.bergfried.worker.kernel.cpu.PeakLoops;
import org.bergfried.worker.kernel.vector.VectorPeakLoops;
import org.junit.jupiter.api.Test;

final class MachineLimitsTest {
    @Test
    void findsRatesThatAMachineCanHave() {
        MachineLimits limits = MachineLimits.measure(1, new SystemClock());
        assertEquals(1, limits.threads());
        assertTrue(limits.readRate() > 1e8 && limits.readRate() < 1e12, limits.toString());
        assertTrue(limits.dotRate() > 1e9 && limits.dotRate() < 1e13, limits.toString());
        assertTrue(limits.fmaRate() > 1e8 && limits.fmaRate() < 1e12, limits.toString());
    }

    @Test
    void loopsCountWhatTheyDo() {
        countsWhatItDoes(Peaks.loops().orElseThrow());
        countsWhatItDoes(new VectorPeakLoops());
    }

    private static void countsWhatItDoes(PeakLoops loops) {
        long round = loops.dots(1);
        assertTrue(round > 0);
        assertEquals(1000 * round, loops.dots(1000));
        assertEquals(1000 * loops.fmas(1), loops.fmas(1000));
    }

    @Test
    void readingMeetsEveryByteOfWholeSteps() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(1 << 16, 64);
            for (PeakLoops loops : new PeakLoops[] {Peaks.loops().orElseThrow(), new VectorPeakLoops()}) {
                memory.fill((byte) 0);
                assertEquals(0, loops.readAll(memory));
                for (long at = 0; at < memory.byteSize(); at += 512) { // one word in each step is in the first lane
                    memory.set(ValueLayout.JAVA_INT, at, 1);
                }
                assertEquals(memory.byteSize() / 512, loops.readAll(memory), loops.title());
            }
        }
    }
}
