package org.bergfried.router.placement.live;

import org.bergfried.contract.cluster.ExpertSet;

/// What an expert worker says of its experts.
///
/// @param workerId the worker.
/// @param startNumber which start of it.
/// @param modelDigest its model.
/// @param hot its experts that are in memory and verified.
/// @param bytesPerExpert `[moeLayers]` memory of one expert of each layer, its own or a file's mapping.
/// @param bytesHeld memory of its hot experts.
/// @param bytesFree memory left for further ones.
/// @param rowsPerSecond rows through one expert that it computes in a second; 0 before a second was computed.
/// @param epoch the highest epoch that it has seen in a command or a placement; 0 for none.
/// @param planId the plan of that epoch; empty for none.
public record Hosting(
        String workerId,
        long startNumber,
        String modelDigest,
        ExpertSet hot,
        long[] bytesPerExpert,
        long bytesHeld,
        long bytesFree,
        double rowsPerSecond,
        long epoch,
        String planId) {
    /// Copies.
    public Hosting {
        bytesPerExpert = bytesPerExpert.clone();
    }
}
