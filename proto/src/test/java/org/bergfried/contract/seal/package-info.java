/// Tests of sealing.
@NullMarked
package org.bergfried.contract.seal;

import org.jspecify.annotations.NullMarked;
