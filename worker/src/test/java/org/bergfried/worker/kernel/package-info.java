/// Conformance of the backends: against a second reading of the arithmetic, and against each other.
@NullMarked
package org.bergfried.worker.kernel;

import org.jspecify.annotations.NullMarked;
