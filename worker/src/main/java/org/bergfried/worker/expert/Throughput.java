package org.bergfried.worker.expert;

/// How many rows go through one expert in a second of computing: a moving average over about ten seconds of computing.
/// Before one second it says nothing, since a few batches measure chance. One thread adds; any thread reads.
final class Throughput {
    private static final double NANOS_PER_SECOND = 1e9;
    private static final double WINDOW_NANOS = 10 * NANOS_PER_SECOND;
    private static final double LEAST_NANOS = NANOS_PER_SECOND;

    private double rows;
    private double nanos;
    private volatile double perSecond;

    void add(int batchRows, long batchNanos) {
        double kept = StrictMath.exp(-batchNanos / WINDOW_NANOS);
        rows = rows * kept + batchRows;
        nanos = nanos * kept + batchNanos;
        perSecond = nanos < LEAST_NANOS ? 0 : rows * NANOS_PER_SECOND / nanos;
    }

    /// 0 before a second was computed.
    double perSecond() {
        return perSecond;
    }
}
