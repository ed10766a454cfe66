/// What router and worker must agree on besides the protos: the one table of errors, limits, sizes, the clock,
/// and how a process reads its configuration. Everybody calls it; it knows neither router nor worker, and no
/// transport.
@NullMarked
package org.bergfried.contract;

import org.jspecify.annotations.NullMarked;
