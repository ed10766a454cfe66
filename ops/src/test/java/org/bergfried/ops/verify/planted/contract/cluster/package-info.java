/// Planted for the tests of the boundaries.
@NullMarked
package org.bergfried.ops.verify.planted.contract.cluster;

import org.jspecify.annotations.NullMarked;
