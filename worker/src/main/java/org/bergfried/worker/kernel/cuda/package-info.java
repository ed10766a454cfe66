/// The backend on an NVIDIA GPU: kernels in PTX (see `worker/src/main/cuda`), started through JCuda's binding of the
/// driver. Nothing else knows JCuda.
///
/// [org.bergfried.worker.kernel.cuda.CudaDevice] is the device with its memory and code;
/// [org.bergfried.worker.kernel.cuda.CudaBackend] executes the engine's operations on it, queued on a stream. What has
/// no kernel yet is computed on the CPU in between.
///
/// Called by `kernel.choice` and the tools that look at devices. Must not know models, files or the network.
@NullMarked
package org.bergfried.worker.kernel.cuda;

import org.jspecify.annotations.NullMarked;
