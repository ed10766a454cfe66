package org.bergfried.worker.hosting;

/// Which plan, at which of its activations: what commands and placements are ordered by.
///
/// @param epoch  at least 1.
/// @param planId which plan.
public record PlanEpoch(long epoch, String planId) {
    @Override
    public String toString() {
        return "epoch " + epoch + " of plan " + planId;
    }
}
