package org.bergfried.worker.kernel.cuda;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.jspecify.annotations.Nullable;

/// The driver of this machine: found, initialised once, and asked for its devices.
public final class CudaDriver {
    private static final int VERSION_MIN = 11_000; // of the driver: it must know the PTX version of the kernels
    private static final int CAPABILITY_MIN = 80; // that the PTX is made for
    private static final int NAME_BYTES = 256;

    private static @Nullable CudaDriver loaded; // guarded by the class

    private final int version;

    private CudaDriver(int version) {
        this.version = version;
    }

    /// Finds and initialises the driver.
    ///
    /// @param library file name or path; the first call decides for the process.
    /// @throws ClusterException NOT_IMPLEMENTED, with what to do, if there is none that can be used.
    public static synchronized CudaDriver open(String library) {
        if (loaded == null) {
            loaded = load(library);
        }
        return loaded;
    }

    /// Looks before JCuda does: its classes are spoilt for the process once their library has failed to load.
    @SuppressWarnings("restricted") // native access is what this package is for
    private static CudaDriver load(String library) {
        try {
            SymbolLookup.libraryLookup(library, Arena.global());
        } catch (IllegalArgumentException absent) {
            throw unusable(
                    "no CUDA driver: " + library + " was not found; install NVIDIA's driver, or name its library by"
                            + " cuda.library",
                    absent);
        }
        try {
            loadBinding();
        } catch (LinkageError absent) {
            throw unusable(
                    "the binding to the CUDA driver could not be loaded (" + absent.getMessage()
                            + "); it exists for Linux on x86-64 only",
                    absent);
        }
        int result = JCudaDriver.cuInit(0);
        if (result == CUresult.CUDA_ERROR_NO_DEVICE) {
            throw unusable("the CUDA driver finds no device; check nvidia-smi and CUDA_VISIBLE_DEVICES", null);
        }
        if (result != CUresult.CUDA_SUCCESS) {
            throw unusable("the CUDA driver does not start: " + Cuda.describe(result), null);
        }
        int[] version = new int[1];
        Cuda.check(JCudaDriver.cuDriverGetVersion(version), "asking for the driver's version");
        if (version[0] < VERSION_MIN) {
            throw unusable(
                    "the CUDA driver is too old: it is made for CUDA " + versionText(version[0]) + ", the kernels need "
                            + versionText(VERSION_MIN) + " or later; update NVIDIA's driver",
                    null);
        }
        return new CudaDriver(version[0]);
    }

    /// JCuda unpacks its library to a fixed name in the directory for temporary files, where another process may be
    /// writing it at the same time, or anybody may have put one. It gets a directory of its own for that moment.
    private static void loadBinding() {
        String property = "java.io.tmpdir";
        String before = System.getProperty(property);
        Path own = null;
        try {
            own = Files.createTempDirectory("bergfried-jcuda");
            System.setProperty(property, own.toString());
            JCudaDriver.setExceptionsEnabled(false); // initialises the class
        } catch (IOException e) {
            throw new UncheckedIOException("no directory for JCuda's library in " + before, e);
        } finally {
            if (before != null) {
                System.setProperty(property, before);
            }
            delete(own);
        }
    }

    private static void delete(@Nullable Path directory) {
        if (directory == null) {
            return;
        }
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.delete(file); // a loaded library stays mapped
            }
            Files.delete(directory);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete " + directory, e);
        }
    }

    /// A device as the driver describes it.
    ///
    /// @param number      for `cuda.device`.
    /// @param name        the driver's.
    /// @param capability  compute capability, such as 86 for 8.6.
    /// @param memoryBytes in all.
    /// @param processors  multiprocessors.
    /// @param emulated    whether it says of itself that it is no GPU.
    public record Description(
            int number, String name, int capability, long memoryBytes, int processors, boolean emulated) {
        /// Whether the kernels can run on it.
        public boolean capable() {
            return capability >= CAPABILITY_MIN;
        }

        /// For people.
        public String text() {
            return name + " (device " + number + ", compute capability " + capability / 10 + "." + capability % 10
                    + ", " + (memoryBytes >> 20) + " MiB, " + processors + " multiprocessors"
                    + (emulated ? ", emulated" : "") + ")";
        }
    }

    /// All devices that the driver shows.
    public List<Description> devices() {
        int[] count = new int[1];
        int result = JCudaDriver.cuDeviceGetCount(count);
        if (result == CUresult.CUDA_ERROR_NO_DEVICE) {
            return List.of();
        }
        Cuda.check(result, "counting devices");
        var devices = new ArrayList<Description>();
        for (int number = 0; number < count[0]; number++) {
            devices.add(describe(number, handle(number)));
        }
        return devices;
    }

    /// One device that the kernels can run on.
    ///
    /// @throws ClusterException NOT_IMPLEMENTED, with what to do, if it is not there, too old or not allowed.
    Description require(CudaSettings settings) {
        List<Description> devices = devices();
        if (devices.isEmpty()) {
            throw unusable("the CUDA driver shows no device; check nvidia-smi and CUDA_VISIBLE_DEVICES", null);
        }
        if (settings.device() >= devices.size()) {
            throw unusable(
                    "there is no CUDA device " + settings.device() + "; the driver shows " + devices.size()
                            + ", from 0 on",
                    null);
        }
        Description device = devices.get(settings.device());
        if (!device.capable()) {
            throw unusable(
                    device.text() + " is too old: the kernels need compute capability " + CAPABILITY_MIN / 10 + "."
                            + CAPABILITY_MIN % 10 + " or later",
                    null);
        }
        if (device.emulated() && !settings.allowEmulated()) {
            throw unusable(
                    device.text() + " is emulated, which is slow and for tests only; set cuda.allowEmulated to use it",
                    null);
        }
        return device;
    }

    /// For people: the CUDA version that the driver is made for.
    public String version() {
        return versionText(version);
    }

    private static String versionText(int version) {
        return version / 1000 + "." + version % 1000 / 10;
    }

    static CUdevice handle(int number) {
        var device = new CUdevice();
        Cuda.check(JCudaDriver.cuDeviceGet(device, number), "opening device " + number);
        return device;
    }

    private static Description describe(int number, CUdevice device) {
        byte[] bytes = new byte[NAME_BYTES];
        Cuda.check(JCudaDriver.cuDeviceGetName(bytes, bytes.length, device), "asking for a device's name");
        int length = 0;
        while (length < bytes.length && bytes[length] != 0) {
            length++;
        }
        String name = new String(bytes, 0, length, StandardCharsets.UTF_8);
        long[] memory = new long[1];
        Cuda.check(JCudaDriver.cuDeviceTotalMem(memory, device), "asking for a device's memory");
        int capability = 10 * attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
                + attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
        int processors = attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
        return new Description(number, name, capability, memory[0], processors, saysEmulated(name));
    }

    private static int attribute(CUdevice device, int attribute) {
        int[] value = new int[1];
        Cuda.check(JCudaDriver.cuDeviceGetAttribute(value, attribute, device), "asking a device");
        return value[0];
    }

    /// No product of NVIDIA has such a name; the emulator of this project does.
    private static boolean saysEmulated(String name) {
        return name.contains("emulat") || name.contains("no GPU");
    }

    private static ClusterException unusable(String why, @Nullable Throwable cause) {
        return new ClusterException(ErrorReason.NOT_IMPLEMENTED, why, cause);
    }
}
