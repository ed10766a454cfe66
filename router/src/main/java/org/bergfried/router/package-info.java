/// The front door and the control plane. `RouterMain` starts the process and `Router` puts its parts together; no
/// other package knows these two.
@NullMarked
package org.bergfried.router;

import org.jspecify.annotations.NullMarked;
