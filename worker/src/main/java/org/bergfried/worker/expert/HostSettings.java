package org.bergfried.worker.expert;

import org.bergfried.contract.tensor.DispatchClass;
import org.bergfried.contract.tensor.DispatchFrame;

/// Limits of an expert host.
///
/// @param workerId      the worker's id.
/// @param startNumber   which start of that worker.
/// @param rowsMax       rows that are computed at once; sizes the scratch memory.
/// @param queueRowsMax  rows that may wait; more are answered with BUSY.
/// @param streamRowsMax rows that one stream may have on the way: its credit, for which memory is reserved.
/// @param peersMax      other workers whose trunks may be connected at a time, each with a stream for each class.
public record HostSettings(
        String workerId, long startNumber, int rowsMax, int queueRowsMax, int streamRowsMax, int peersMax) {
    /// Most workers of a cluster that exchange rows with one of them.
    public static final int PEERS_LIMIT = 1024;

    private static final int DEFAULT_ROWS = 512;
    private static final int DEFAULT_QUEUE_ROWS = 4096;

    /// Checks the ranges.
    public HostSettings {
        check("rowsMax", rowsMax, 1, DispatchFrame.ROWS_MAX);
        check("queueRowsMax", queueRowsMax, 1, 1 << 20);
        check("streamRowsMax", streamRowsMax, 1, Math.min(rowsMax, queueRowsMax));
        check("peersMax", peersMax, 1, PEERS_LIMIT);
    }

    /// Limits for a small cluster.
    public static HostSettings defaults(String workerId, long startNumber) {
        return of(workerId, startNumber, 256, 8);
    }

    /// Usual limits of the work, and given ones of the streams.
    public static HostSettings of(String workerId, long startNumber, int streamRowsMax, int peersMax) {
        return new HostSettings(workerId, startNumber, DEFAULT_ROWS, DEFAULT_QUEUE_ROWS, streamRowsMax, peersMax);
    }

    /// Streams at a time.
    public int streamsMax() {
        return peersMax * DispatchClass.values().length;
    }

    private static void check(String name, int value, int min, int max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(name + " = " + value + " must be from " + min + " to " + max);
        }
    }
}
