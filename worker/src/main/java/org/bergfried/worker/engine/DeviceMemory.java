package org.bergfried.worker.engine;

import org.bergfried.worker.kernel.WeightSize;
import org.bergfried.worker.kernel.choice.Backends;
import org.bergfried.worker.kernel.cpu.CpuBackend;

/// What of an engine is in the memory of a device rather than of the host.
///
/// @param trunk         whether the trunk's weights, pages and scratch memory are.
/// @param experts       whether the experts' weights and scratch memory are.
/// @param limit         most bytes of the device.
/// @param expertWeights what experts take where they are.
record DeviceMemory(boolean trunk, boolean experts, long limit, WeightSize expertWeights) {
    /// All on the host.
    static final DeviceMemory NONE = new DeviceMemory(false, false, 0, CpuBackend.WEIGHTS);

    static DeviceMemory of(Backends backends) {
        return new DeviceMemory(
                backends.trunkOnDevice(),
                backends.expertsOnDevice(),
                backends.deviceMemory(),
                backends.expertWeights());
    }
}
