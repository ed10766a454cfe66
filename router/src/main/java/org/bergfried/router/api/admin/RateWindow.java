package org.bergfried.router.api.admin;

import java.util.ArrayDeque;
import java.util.Deque;

/// How fast a count has grown over the last ten seconds.
final class RateWindow {
    private static final double SECONDS = 10;

    private final Deque<Sample> samples = new ArrayDeque<>(); // oldest first

    private record Sample(long nanos, double count) {}

    /// Takes the count as it is now.
    synchronized void sample(double count, long now) {
        samples.addLast(new Sample(now, count));
        while (samples.size() > 2 && seconds(samples.getFirst(), now) > SECONDS) {
            samples.removeFirst();
        }
    }

    /// Growth per second between the oldest and the newest sample; 0 before there are two.
    synchronized double perSecond() {
        if (samples.size() < 2) {
            return 0;
        }
        Sample newest = samples.getLast();
        double seconds = seconds(samples.getFirst(), newest.nanos);
        return seconds <= 0 ? 0 : (newest.count - samples.getFirst().count) / seconds;
    }

    private static double seconds(Sample from, long now) {
        return (now - from.nanos) / 1e9;
    }
}
