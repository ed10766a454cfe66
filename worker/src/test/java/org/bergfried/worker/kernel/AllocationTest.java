package org.bergfried.worker.kernel;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
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
        Process process = new ProcessBuilder(
                        Path.of(Objects.requireNonNull(System.getProperty("java.home")), "bin", "java")
                                .toString(),
                        "-Xmx256m",
                        "-XX:+UseSerialGC",
                        "--enable-native-access=ALL-UNNAMED",
                        "--add-modules",
                        "jdk.incubator.vector",
                        "-cp",
                        Objects.requireNonNull(System.getProperty("java.class.path")),
                        AllocationMain.class.getName())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        List<String> lines = new String(process.getInputStream().readAllBytes(), UTF_8)
                .lines()
                .toList();
        assertEquals(0, process.waitFor(), () -> "the measuring process failed after " + lines);
        assertEquals(2 * ElementType.values().length + 1, lines.size(), lines::toString);
        for (String line : lines) {
            long bytes = Long.parseLong(line.substring(line.indexOf(' ') + 1));
            assertTrue(bytes <= AllocationMain.BYTES_PER_OPERATION, () -> "bytes an operation allocates: " + line);
        }
    }
}
