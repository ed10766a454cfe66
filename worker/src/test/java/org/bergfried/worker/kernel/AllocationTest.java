package org.bergfried.worker.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.bergfried.worker.tensor.ElementType;
import org.junit.jupiter.api.Test;

/// Operations of a known shape allocate next to nothing: kernels whose vectors were boxed would allocate megabytes.
///
/// They run in a JVM of their own ([AllocationMain]), because how methods are compiled depends on what ran before,
/// and
/// because the probes of a coverage agent make them larger than the compiler likes.
final class AllocationTest {
    @Test
    void operationsAllocateNextToNothing() throws Exception {
        List<String> lines = ChildJvm.lines(AllocationMain.class, "--add-modules", "jdk.incubator.vector");
        assertEquals(2 * ElementType.values().length + 1, lines.size(), lines::toString);
        for (String line : lines) {
            long bytes = Long.parseLong(line.substring(line.indexOf(' ') + 1));
            assertTrue(bytes <= AllocationMain.BYTES_PER_OPERATION, () -> "bytes an operation allocates: " + line);
        }
    }
}
