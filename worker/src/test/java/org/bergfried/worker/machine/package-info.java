/// Tests of what Linux is told and asked.
@NullMarked
package org.bergfried.worker.machine;

import org.jspecify.annotations.NullMarked;
