/// Tests of what the CPU backends share.
@NullMarked
package org.bergfried.worker.kernel.cpu;

import org.jspecify.annotations.NullMarked;
