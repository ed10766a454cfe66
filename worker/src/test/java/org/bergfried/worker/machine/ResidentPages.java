package org.bergfried.worker.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// What `/proc/self/smaps` says of this process's memory.
public final class ResidentPages {
    private static final Path SMAPS = Path.of("/proc/self/smaps");

    private ResidentPages() {}

    /// Whether the system tells.
    public static boolean known() {
        return Files.isReadable(SMAPS);
    }

    /// Resident bytes of the mappings of a file.
    public static long of(Path file) throws IOException {
        String name = " " + file.toRealPath();
        boolean isOfFile = false;
        long kilobytes = 0;
        for (String line : Files.readAllLines(SMAPS)) {
            if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
                isOfFile = line.endsWith(name);
            } else if (isOfFile && line.startsWith("Rss:")) {
                kilobytes += Long.parseLong(line.replaceAll("[^0-9]", ""));
            }
        }
        return kilobytes << 10;
    }
}
