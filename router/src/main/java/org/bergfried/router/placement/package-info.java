/// The first placements: which worker hosts which expert until a planner or an operator decides otherwise. Started
/// by the router's main; reads the directory and publishes to the board. The deciding class,
/// {@link org.bergfried.router.placement.FirstPlacement}, must not know a clock, threads or the network.
@NullMarked
package org.bergfried.router.placement;

import org.jspecify.annotations.NullMarked;
