package org.bergfried.worker.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.bergfried.worker.kernel.cpu.ComputePool;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class ProcessorsTest {
    @TempDir
    private Path folder = Path.of("");

    @Test
    void readsTheListOfTheStatusFile() throws IOException {
        Path status = folder.resolve("status");
        Files.writeString(status, "Name:\tjava\nCpus_allowed:\tf0d\nCpus_allowed_list:\t0,2-3,8-11\n");
        assertEquals(List.of(0, 2, 3, 8, 9, 10, 11), Processors.allowed(status));
        Files.writeString(status, "Name:\tjava\n");
        assertEquals(List.of(), Processors.allowed(status));
        Files.writeString(status, "Cpus_allowed_list:\tall\n");
        assertEquals(List.of(), Processors.allowed(status));
        assertEquals(List.of(), Processors.allowed(folder.resolve("no such file")));
        assertThrows(IllegalArgumentException.class, () -> Processors.parse("5-2"));
        assertThrows(IllegalArgumentException.class, () -> Processors.parse("0-999999999"));
    }

    @Test
    void threadsAreBoundToAllowedProcessorsAndTheCallerIsNot() throws Exception {
        Path ownStatus = Path.of("/proc/thread-self/status");
        assumeTrue(Files.exists(ownStatus), "this system has no /proc");
        Processors processors = Processors.ofProcess();
        assumeTrue(processors.allowed().size() > 1, "one processor only");
        Set<List<Integer>> ofHelpers = ConcurrentHashMap.newKeySet();
        try (var pool = new ComputePool(2, Pinning.within(processors))) {
            ComputePool.Lane lane = pool.open(ComputePool.Priority.TRUNK);
            while (ofHelpers.isEmpty()) {
                lane.run(2, (part, slot) -> {
                    if (slot > 0) {
                        ofHelpers.add(Processors.allowed(ownStatus));
                    }
                });
            }
        }
        assertEquals(Set.of(List.of(processors.allowed().get(1))), ofHelpers);
        assertEquals(processors.allowed(), Processors.allowed(ownStatus));
    }

    @Test
    void withoutAChoiceNothingIsBound() {
        assertSame(Pinning.NONE, Pinning.within(new Processors(List.of(3), 1)));
        assertSame(Pinning.NONE, Pinning.within(new Processors(List.of(), 8)));
        assertNotEquals(Pinning.NONE, Pinning.within(new Processors(List.of(3, 4), 2)));
        assertTrue(Processors.ofProcess().granted() > 0);
    }
}
