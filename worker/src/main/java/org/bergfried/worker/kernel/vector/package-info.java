/// The kernels with the JDK's Vector API, bit-equal to the scalar ones at every vector width.
///
/// Three rules keep them fast. One vector width for the whole process ([Width]). Memory is read through slices with
/// `int` offsets, so that bounds checks leave the loops. No method of a big kernel takes or returns vectors, because
/// the compiler stops inlining in big graphs and then boxes them.
///
/// Called by `kernel.cpu` through `Kernels`. Must not know threads, files or the network.
@NullMarked
package org.bergfried.worker.kernel.vector;

import org.jspecify.annotations.NullMarked;
