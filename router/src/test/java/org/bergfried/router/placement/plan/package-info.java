/// Tests of the planner, with EPLB's algorithm as the yardstick and seeded random questions.
@NullMarked
package org.bergfried.router.placement.plan;

import org.jspecify.annotations.NullMarked;
