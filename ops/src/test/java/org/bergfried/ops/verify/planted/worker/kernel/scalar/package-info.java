/// Planted for the tests of the boundaries.
@NullMarked
package org.bergfried.ops.verify.planted.worker.kernel.scalar;

import org.jspecify.annotations.NullMarked;
