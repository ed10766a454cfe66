package org.bergfried.router.placement.plan;

import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;

/// What the planner knows of a living expert worker.
///
/// @param id the worker.
/// @param expertBytes memory for routed experts in all, those that it holds now included; 0 for a worker that is
/// being drained: it may be a source of weights and gets nothing new.
/// @param rowsPerSecond measured rows through one expert per second; above 0. Only ratios between workers matter.
/// @param linkBytesPerSecond what its network carries; above 0.
/// @param numericsId the arithmetic it computes in.
/// @param group its node or rack; empty where nobody says.
public record PlanWorker(
        String id, long expertBytes, double rowsPerSecond, double linkBytesPerSecond, String numericsId, String group) {
    /// Checks the ranges.
    public PlanWorker {
        if (expertBytes < 0 || !isPositive(rowsPerSecond) || !isPositive(linkBytesPerSecond)) {
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST,
                    "worker " + id + " has " + expertBytes + " bytes for experts, " + rowsPerSecond + " rows/s and "
                            + linkBytesPerSecond
                            + " link bytes/s; bytes must be at least 0, rates finite and above 0");
        }
    }

    private static boolean isPositive(double rate) {
        return rate > 0 && rate < Double.POSITIVE_INFINITY;
    }
}
