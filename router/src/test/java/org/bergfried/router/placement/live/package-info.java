/// Tests of live changes, with fake hosts.
@NullMarked
package org.bergfried.router.placement.live;

import org.jspecify.annotations.NullMarked;
