package org.bergfried.router.placement.live;

import java.util.Set;
import org.bergfried.contract.cluster.ExpertOnWorker;
import org.bergfried.router.placement.plan.PlanSettings;

/// What somebody wants a plan for.
///
/// @param verb what it is, for the plan's name: plan, move, drain, repair and so on.
/// @param who wants it.
/// @param modelDigest the model.
/// @param settings how eager to be.
/// @param windowSeconds the load of so many past seconds counts.
/// @param pins of this plan only, beside those that are kept.
/// @param bans of this plan only, beside those that are kept.
public record Wish(
        String verb,
        String who,
        String modelDigest,
        PlanSettings settings,
        int windowSeconds,
        Set<ExpertOnWorker> pins,
        Set<ExpertOnWorker> bans) {
    private static final PlanSettings REPAIRS =
            new PlanSettings(1, PlanSettings.defaults().replicasMax());

    /// Copies.
    public Wish {
        pins = Set.copyOf(pins);
        bans = Set.copyOf(bans);
    }

    /// Only what must be: unplaced experts, lost and drained workers, pins and bans.
    public static Wish repairs(String verb, String who, String modelDigest) {
        return new Wish(verb, who, modelDigest, REPAIRS, LoadWindows.SECONDS_MAX, Set.of(), Set.of());
    }
}
