package org.bergfried.worker.kernel.cuda;

import java.util.OptionalLong;

/// Which device is used, and how.
///
/// @param device        number among the devices that the driver shows, from 0 on.
/// @param memory        most bytes of device memory; empty for what is free when the device is opened, less a reserve.
/// @param library       file name or path of the driver's library.
/// @param allowEmulated whether a device that says it is emulated may be used: right for tests, slow otherwise.
public record CudaSettings(int device, OptionalLong memory, String library, boolean allowEmulated) {
    /// What NVIDIA's driver installs.
    public static final String LIBRARY = "libcuda.so.1";

    /// The first real device with all its memory.
    public static CudaSettings defaults() {
        return new CudaSettings(0, OptionalLong.empty(), LIBRARY, false);
    }

    /// The same for another choice about emulated devices.
    public CudaSettings withEmulated(boolean allowed) {
        return new CudaSettings(device, memory, library, allowed);
    }
}
