package org.bergfried.ops.verify;

import java.util.OptionalDouble;

/// What a process wrote at `/metrics`.
final class Scrape {
    private Scrape() {}

    /// The value of the first sample of a name.
    static double value(String metrics, String name) {
        return find(metrics, name).orElseThrow(() -> new AssertionError("no metric " + name + " in:\n" + metrics));
    }

    /// The same, where it may not be measured yet.
    static OptionalDouble find(String metrics, String name) {
        return metrics.lines()
                .filter(line -> line.startsWith(name + " ") || line.startsWith(name + "{"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .findFirst();
    }
}
