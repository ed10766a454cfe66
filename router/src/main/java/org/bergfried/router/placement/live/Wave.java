package org.bergfried.router.placement.live;

import java.util.ArrayList;
import java.util.List;
import org.bergfried.router.placement.plan.PlanStep;

/// The steps from one activation to the next: installs that may run at once, the activation, and what it sets free.
///
/// @param installs before the activation.
/// @param activate the activation.
/// @param drains after it.
/// @param evicts after the drains.
record Wave(
        List<PlanStep.Install> installs,
        PlanStep.Activate activate,
        List<PlanStep.Drain> drains,
        List<PlanStep.Evict> evicts) {
    Wave {
        installs = List.copyOf(installs);
        drains = List.copyOf(drains);
        evicts = List.copyOf(evicts);
    }

    /// Divides a plan's steps.
    ///
    /// @throws IllegalArgumentException if they are in another order, or installs come after the last activation.
    static List<Wave> of(List<PlanStep> steps) {
        var waves = new ArrayList<Wave>();
        int next = 0;
        while (next < steps.size()) {
            var installs = new ArrayList<PlanStep.Install>();
            while (next < steps.size() && steps.get(next) instanceof PlanStep.Install install) {
                installs.add(install);
                next++;
            }
            if (next == steps.size() || !(steps.get(next++) instanceof PlanStep.Activate activate)) {
                throw new IllegalArgumentException("the installs of wave " + waves.size() + " are not activated");
            }
            var drains = new ArrayList<PlanStep.Drain>();
            while (next < steps.size() && steps.get(next) instanceof PlanStep.Drain drain) {
                drains.add(drain);
                next++;
            }
            var evicts = new ArrayList<PlanStep.Evict>();
            while (next < steps.size() && steps.get(next) instanceof PlanStep.Evict evict) {
                evicts.add(evict);
                next++;
            }
            waves.add(new Wave(installs, activate, drains, evicts));
        }
        return waves;
    }
}
