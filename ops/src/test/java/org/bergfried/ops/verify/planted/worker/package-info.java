/// Planted for the tests of the boundaries.
@NullMarked
package org.bergfried.ops.verify.planted.worker;

import org.jspecify.annotations.NullMarked;
