/// Planted for the tests of the boundaries.
@NullMarked
package org.bergfried.ops.verify.planted.worker.kernel.vector;

import org.jspecify.annotations.NullMarked;
