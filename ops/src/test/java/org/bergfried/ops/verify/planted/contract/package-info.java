/// Planted for the tests of the boundaries.
@NullMarked
package org.bergfried.ops.verify.planted.contract;

import org.jspecify.annotations.NullMarked;
