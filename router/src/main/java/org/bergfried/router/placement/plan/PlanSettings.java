package org.bergfried.router.placement.plan;

import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.Limits;

/// How eager the planner is.
///
/// @param gainMin a layer is changed only if its fullest worker needs less time by this fraction, 0 to 1. Repairs
/// (unplaced experts, lost workers, pins, bans) are made whatever they gain.
/// @param replicasMax most replicas of an expert, 1 to {@link Limits#REPLICAS}.
public record PlanSettings(double gainMin, int replicasMax) {
    /// Checks the ranges.
    public PlanSettings {
        if (!(gainMin >= 0 && gainMin <= 1) || replicasMax < 1 || replicasMax > Limits.REPLICAS) {
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST,
                    "gainMin = " + gainMin + " must be from 0 to 1, replicasMax = " + replicasMax + " from 1 to "
                            + Limits.REPLICAS);
        }
    }

    /// Three percent; as many replicas as a placement may have.
    public static PlanSettings defaults() {
        return new PlanSettings(0.03, Limits.REPLICAS);
    }
}
