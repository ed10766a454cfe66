package org.bergfried.worker.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The processors that this process may use.
///
/// @param allowed their numbers, ascending: the affinity of the process, which its cpuset bounds; empty if unknown.
/// @param granted how many the JVM finds, which knows the CPU quota of the container too.
public record Processors(List<Integer> allowed, int granted) {
    private static final Logger LOG = LoggerFactory.getLogger(Processors.class);
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final String ALLOWED = "Cpus_allowed_list:";
    private static final int NUMBER_MAX = 1 << 16;

    /// Copies the list.
    public Processors {
        allowed = List.copyOf(allowed);
    }

    /// Of this process, now.
    public static Processors ofProcess() {
        return new Processors(allowed(STATUS), Runtime.getRuntime().availableProcessors());
    }

    /// The processors that Linux lists in a status file of `/proc`; none if it cannot be read.
    static List<Integer> allowed(Path status) {
        if (!Files.isReadable(status)) {
            return List.of();
        }
        try {
            for (String line : Files.readAllLines(status)) {
                if (line.startsWith(ALLOWED)) {
                    return parse(line.substring(ALLOWED.length()).strip());
                }
            }
        } catch (IOException | IllegalArgumentException unreadable) {
            LOG.warn("{} does not say which processors may be used: {}", status, unreadable.toString());
        }
        return List.of();
    }

    /// Numbers as in `0-3,8,10-11`.
    static List<Integer> parse(String ranges) {
        var numbers = new ArrayList<Integer>();
        for (String range : ranges.split(",", -1)) {
            int dash = range.indexOf('-');
            int first = Integer.parseInt(dash < 0 ? range : range.substring(0, dash));
            int last = Integer.parseInt(range.substring(dash + 1));
            if (first > last || last >= NUMBER_MAX) {
                throw new IllegalArgumentException("processors " + ranges);
            }
            for (int number = first; number <= last; number++) {
                numbers.add(number);
            }
        }
        return numbers;
    }
}
