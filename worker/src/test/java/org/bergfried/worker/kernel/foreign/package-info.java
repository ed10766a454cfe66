/// Tests of the library of kernels in C.
@NullMarked
package org.bergfried.worker.kernel.foreign;

import org.jspecify.annotations.NullMarked;
