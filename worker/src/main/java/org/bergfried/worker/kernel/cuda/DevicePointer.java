package org.bergfried.worker.kernel.cuda;

import java.lang.foreign.MemorySegment;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;

/// An allocation of the driver whose address can be read, which JCuda's own class does not show.
final class DevicePointer extends CUdeviceptr {
    long address() {
        return getNativePointer();
    }

    /// The handle of an address inside an allocation.
    static CUdeviceptr at(long address) {
        return new CUdeviceptr().withByteOffset(address);
    }

    /// The handle of memory of the host.
    static Pointer host(MemorySegment segment) {
        return new HostPointer(segment.address());
    }

    private static final class HostPointer extends Pointer {
        HostPointer(long address) {
            super(address);
        }
    }
}
