package org.bergfried.router.placement.live;

import java.util.List;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.router.placement.plan.Plan;
import org.bergfried.router.placement.plan.PlanRequest;

/// A plan, and what was true when it was made.
///
/// @param request what it was made for.
/// @param plan what it does.
/// @param base the published placement that it starts from.
/// @param rulesVersion of the rules that it obeys.
/// @param loadSeconds of how many past seconds the load is.
/// @param leftovers what hosts have in memory and no placement gives them: freed before anything is installed.
/// @param madeAtNanos when it was made.
public record PreparedPlan(
        PlanRequest request,
        Plan plan,
        Placement base,
        long rulesVersion,
        double loadSeconds,
        List<Leftover> leftovers,
        long madeAtNanos) {
    /// Copies.
    public PreparedPlan {
        leftovers = List.copyOf(leftovers);
    }

    /// An expert in memory that no placement gives to the worker, such as after a plan that failed.
    ///
    /// @param workerId the worker.
    /// @param eviction the expert, and a host that keeps it.
    public record Leftover(String workerId, Hosts.Eviction eviction) {}
}
