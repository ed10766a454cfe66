package org.bergfried.worker.kernel.choice;

import java.util.List;
import org.bergfried.contract.ClusterException;
import org.bergfried.worker.kernel.cuda.CudaDriver;
import org.bergfried.worker.kernel.cuda.CudaSettings;
import org.bergfried.worker.kernel.foreign.LibrarySettings;
import org.bergfried.worker.kernel.foreign.NativeLibrary;
import org.bergfried.worker.kernel.vector.VectorKernels;

/// Which backends this machine can run, and why or why not.
///
/// @param backends of the CPU, then CUDA's.
/// @param chosen   what `auto` stands for.
/// @param devices  CUDA devices; none if there is no driver.
public record BackendSurvey(List<Finding> backends, String chosen, List<Device> devices) {
    /// One backend.
    ///
    /// @param detail what it uses, or what is missing: one line.
    public record Finding(String name, boolean usable, String detail) {}

    /// One CUDA device.
    ///
    /// @param obstacle why it is not used; empty if it may be.
    public record Device(CudaDriver.Description description, String obstacle) {}

    /// Looks around. Builds no kernels, but takes those that a worker of this user has built. Loads the CUDA driver
    /// where there is one.
    public static BackendSurvey of(CudaSettings settings) {
        NativeLibrary.open(LibrarySettings.found());
        boolean vector = CpuKernels.hasVectorApi();
        boolean foreign = !NativeLibrary.variants().isEmpty();
        List<Device> devices = List.of();
        Finding cuda;
        try {
            CudaDriver driver = CudaDriver.open(settings.library());
            devices = driver.devices().stream()
                    .map(device -> new Device(device, obstacle(device, settings)))
                    .toList();
            boolean usable =
                    devices.stream().anyMatch(device -> device.obstacle().isEmpty());
            cuda = new Finding("cuda", usable, "driver for CUDA " + driver.version() + ", " + count(devices.size()));
        } catch (ClusterException unusable) {
            cuda = new Finding("cuda", false, unusable.text());
        }
        return new BackendSurvey(
                List.of(
                        new Finding("scalar", true, "plain Java: the reference for all others"),
                        new Finding(
                                "vector",
                                vector,
                                vector
                                        ? "vectors of " + VectorKernels.vectorBits() + " bits"
                                        : "needs the JVM option --add-modules jdk.incubator.vector"),
                        new Finding("native", foreign, NativeLibrary.describe()),
                        cuda),
                Backends.chosen(BackendChoice.of("auto", 0, settings)),
                devices);
    }

    private static String obstacle(CudaDriver.Description device, CudaSettings settings) {
        if (!device.capable()) {
            return "the kernels need compute capability 8.0 or later";
        }
        return device.emulated() && !settings.allowEmulated() ? "emulated, and not allowed" : "";
    }

    private static String count(int devices) {
        return devices == 1 ? "1 device" : devices + " devices";
    }
}
