/// Tests of what runs on CUDA devices, on the emulated driver of `ops/cuda-emulator`.
@NullMarked
package org.bergfried.worker.kernel.cuda;

import org.jspecify.annotations.NullMarked;
