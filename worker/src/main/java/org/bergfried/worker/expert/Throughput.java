package org.bergfried.worker.expert;

/// How many rows go through one expert in a second of computing: a moving average over some hundred batches. One
/// thread adds; any thread reads.
final class Throughput {
    private static final double KEPT = 0.99; // of what was before, for each batch
    private static final double NANOS_PER_SECOND = 1e9;

    private double rows;
    private double nanos;
    private volatile double perSecond;

    void add(int batchRows, long batchNanos) {
        rows = rows * KEPT + batchRows;
        nanos = nanos * KEPT + batchNanos;
        perSecond = nanos > 0 ? rows * NANOS_PER_SECOND / nanos : 0;
    }

    /// 0 before anything was computed.
    double perSecond() {
        return perSecond;
    }
}
