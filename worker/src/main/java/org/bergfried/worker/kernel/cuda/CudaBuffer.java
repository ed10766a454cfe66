package org.bergfried.worker.kernel.cuda;

import org.bergfried.worker.tensor.Buffer;

/// Memory of a device.
///
/// @param block    where it is.
/// @param byteSize bytes that were asked for.
record CudaBuffer(DevicePool.Block block, long byteSize) implements Buffer {
    /// The address of a byte of a buffer.
    static long address(Buffer buffer, long byteOffset) {
        return ((CudaBuffer) buffer).block.address() + byteOffset;
    }

    /// The address of a buffer.
    static long address(Buffer buffer) {
        return address(buffer, 0);
    }
}
