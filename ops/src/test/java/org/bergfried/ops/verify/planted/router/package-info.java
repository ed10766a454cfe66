/// Planted for the tests of the boundaries.
@NullMarked
package org.bergfried.ops.verify.planted.router;

import org.jspecify.annotations.NullMarked;
