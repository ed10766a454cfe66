package org.bergfried.router.placement.plan;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.bergfried.contract.cluster.Placement;

/// What should be, the way there, and what it is worth.
///
/// @param target the placement after the last step; the current one if there is no step, absent if there is none
/// of either (a dense model).
/// @param steps in order; empty if nothing is worth its bytes.
/// @param balanceBefore `[moeLayers]` mean time of the workers over the time of the fullest, 1 is perfect; 0 where
/// an expert is unplaced.
/// @param balanceAfter `[moeLayers]` the same as predicted for the target.
/// @param bytesMoved what all installs move.
/// @param secondsMoving how long the installs take if every link is used fully: a lower bound.
/// @param isComplete false if memory was too full to make all moves that were wanted; what is left out is left as it
/// was, and the figures are those of the target.
public record Plan(
        Optional<Placement> target,
        List<PlanStep> steps,
        double[] balanceBefore,
        double[] balanceAfter,
        long bytesMoved,
        double secondsMoving,
        boolean isComplete) {
    /// Copies.
    public Plan {
        steps = List.copyOf(steps);
    }

    /// Whether there is nothing to do.
    public boolean isEmpty() {
        return steps.isEmpty();
    }

    /// The mean of the layers' balance before.
    public double meanBefore() {
        return mean(balanceBefore);
    }

    /// The mean of the layers' balance after.
    public double meanAfter() {
        return mean(balanceAfter);
    }

    private static double mean(double[] values) {
        return Arrays.stream(values).average().orElse(1);
    }
}
