package org.bergfried.ops.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Memory that a process has for itself or shares, as Linux counts it.
public final class ResidentMemory {
    private ResidentMemory() {}

    /// Bytes of a process now.
    ///
    /// @param pid its number, or `self`.
    /// @throws IOException if there is no such process, or no Linux.
    public static long bytes(String pid) throws IOException {
        return Files.readAllLines(Path.of("/proc", pid, "status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                .sum();
    }
}
