/// The planner: which worker should host which expert, and the steps that lead there from what is. Pure functions,
/// called by the placement service and by the command line through
/// {@link org.bergfried.router.placement.plan.Planner} and {@link org.bergfried.router.placement.plan.SlotPlan}. They
/// must not know clocks, threads, randomness, the network or who carries the steps out.
@NullMarked
package org.bergfried.router.placement.plan;

import org.jspecify.annotations.NullMarked;
