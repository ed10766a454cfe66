/// What router and worker must agree on.
@NullMarked
package org.bergfried.contract;

import org.jspecify.annotations.NullMarked;
