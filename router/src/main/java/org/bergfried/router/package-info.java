/// The front door and the control plane.
@NullMarked
package org.bergfried.router;

import org.jspecify.annotations.NullMarked;
