package org.bergfried.worker.hosting;

import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.jspecify.annotations.Nullable;

/// Keeps commands of replaced plans out: remembers the highest (epoch, plan) and refuses a lower epoch, and an equal
/// epoch of another plan. Thread-safe.
final class PlanFence {
    private @Nullable PlanEpoch highest; // guarded by this

    /// Lets a command pass and remembers it.
    ///
    /// @throws ClusterException STALE_PLAN that names both.
    synchronized void admit(PlanEpoch command) {
        PlanEpoch seen = highest;
        if (seen != null && !passes(command, seen)) {
            throw new ClusterException(
                    ErrorReason.STALE_PLAN,
                    "a command of " + command + " came after " + seen + " was seen; read the placement and plan anew",
                    Map.of("epoch", Long.toString(seen.epoch()), "planId", seen.planId()));
        }
        highest = command;
    }

    /// Remembers a published placement. It has won against other plans of its epoch.
    synchronized void saw(PlanEpoch published) {
        if (highest == null || published.epoch() >= highest.epoch()) {
            highest = published;
        }
    }

    /// Runs something if no higher or other plan has come since a command was admitted, and lets none come meanwhile.
    synchronized <T> Optional<T> ifStill(PlanEpoch command, Supplier<T> action) {
        return command.equals(highest) ? Optional.of(action.get()) : Optional.empty();
    }

    synchronized Optional<PlanEpoch> highest() {
        return Optional.ofNullable(highest);
    }

    private static boolean passes(PlanEpoch command, PlanEpoch seen) {
        return command.epoch() > seen.epoch() || command.equals(seen);
    }
}
