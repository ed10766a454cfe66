package org.bergfried.worker.expert;

import org.bergfried.contract.tensor.DispatchFrame;

/// Limits of an expert host.
///
/// @param workerId      the worker's id.
/// @param startNumber   which start of that worker.
/// @param rowsMax       rows that are computed at once; sizes the scratch memory.
/// @param queueRowsMax  rows that may wait; more are answered with BUSY.
/// @param streamRowsMax rows that one stream may have on the way: its credit, for which memory is reserved.
/// @param streamsMax    streams at a time, two for each trunk worker (decode, prefill).
public record HostSettings(
        String workerId, long startNumber, int rowsMax, int queueRowsMax, int streamRowsMax, int streamsMax) {
    /// Checks the ranges.
    public HostSettings {
        check("rowsMax", rowsMax, 1, DispatchFrame.ROWS_MAX);
        check("queueRowsMax", queueRowsMax, 1, 1 << 20);
        check("streamRowsMax", streamRowsMax, 1, Math.min(rowsMax, queueRowsMax));
        check("streamsMax", streamsMax, 1, 1 << 11);
    }

    /// Limits for a small cluster.
    public static HostSettings defaults(String workerId, long startNumber) {
        return new HostSettings(workerId, startNumber, 512, 4096, 256, 16);
    }

    private static void check(String name, int value, int min, int max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(name + " = " + value + " must be from " + min + " to " + max);
        }
    }
}
