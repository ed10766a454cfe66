/// Planted for the tests of the boundaries.
@NullMarked
package org.bergfried.ops.verify.planted.router.api;

import org.jspecify.annotations.NullMarked;
