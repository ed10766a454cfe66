package org.bergfried.ops.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bergfried.contract.SystemClock;
import org.bergfried.worker.tool.SpeedRun;

/// Loads a model, draws a token and prints how many bytes of resident memory that has added to this process, and how
/// many of them are pages of the model's file.
final class ResidentMemoryMain {
    private ResidentMemoryMain() {}

    /// Measures.
    ///
    /// @param arguments the model's file.
    public static void main(String[] arguments) throws IOException {
        Path file = Path.of(arguments[0]).toRealPath();
        long before = resident("");
        try (var run = new SpeedRun(file, "auto", 2, 64, 1, new SystemClock())) {
            run.firstTokenSeconds(4);
            System.out.println((resident("") - before) + " " + resident(" " + file));
        }
    }

    /// Of mappings whose line ends so.
    private static long resident(String end) throws IOException {
        boolean isCounted = false;
        long kilobytes = 0;
        for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
            if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
                isCounted = line.endsWith(end);
            } else if (isCounted && line.startsWith("Rss:")) {
                kilobytes += Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        return kilobytes << 10;
    }
}
