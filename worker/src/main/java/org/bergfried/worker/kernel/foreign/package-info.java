/// The kernels in C (`worker/src/main/c`), called through the foreign function interface; the backend named `native`.
///
/// [org.bergfried.worker.kernel.foreign.NativeLibrary] finds, verifies and loads the library, `NativeCalls` has its
/// functions, `NativeKernels` hands them addresses. What the library has no kernel for goes to the kernels that stand
/// behind it.
///
/// Called by `kernel.cpu` through `Kernels`, made by `kernel.choice`. Must not know threads, models or the network.
@NullMarked
package org.bergfried.worker.kernel.foreign;

import org.jspecify.annotations.NullMarked;
