package org.bergfried.worker.kernel.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;

/// One device of this process: its context, its memory in a pool, the kernels, and streams of operations. Thread-
/// safe; a [CudaStream] belongs to one thread at a time.
public final class CudaDevice implements AutoCloseable {
    /// Files of kernels, without their suffix.
    static final List<String> MODULES = List.of("rows", "products", "attention", "gate");

    private static final long RESERVE = 256L << 20; // left free for the driver and others where no limit is given

    private final CudaDriver.Description description;
    private final String driverVersion;
    private final CUdevice device;
    private final CUcontext context = new CUcontext();
    private final DevicePool pool;
    private final List<CUmodule> modules = new ArrayList<>();
    private final Map<String, Entry> entries = new HashMap<>();
    private final CudaStream loading; // guarded by itself

    /// A kernel in the device's code, with the kinds of its parameters.
    record Entry(String name, CUfunction function, KernelSignature signature) {}

    /// Opens a device for the whole life of a backend.
    ///
    /// @throws ClusterException NOT_IMPLEMENTED, with what to do, if there is none that can be used.
    public static CudaDevice open(CudaSettings settings) {
        return open(settings, DevicePool.CHUNK);
    }

    /// For tests: every buffer is an allocation of the driver's, so that a device that checks accesses notices one
    /// beyond its end.
    public static CudaDevice openUnpooled(CudaSettings settings) {
        return open(settings, 0);
    }

    /// Looks at a device without opening it.
    ///
    /// @throws ClusterException NOT_IMPLEMENTED, with what to do, if there is none that can be used.
    public static CudaDriver.Description find(CudaSettings settings) {
        return CudaDriver.open(settings.library()).require(settings);
    }

    private static CudaDevice open(CudaSettings settings, long chunkBytes) {
        CudaDriver driver = CudaDriver.open(settings.library());
        return new CudaDevice(driver.require(settings), driver.version(), settings, chunkBytes);
    }

    private CudaDevice(
            CudaDriver.Description description, String driverVersion, CudaSettings settings, long chunkBytes) {
        this.description = description;
        this.driverVersion = driverVersion;
        device = CudaDriver.handle(description.number());
        Cuda.check(JCudaDriver.cuDevicePrimaryCtxRetain(context, device), "opening " + description.text());
        try {
            use();
            pool = new DevicePool(settings.memory().orElseGet(CudaDevice::freeMemory), chunkBytes);
            for (String module : MODULES) {
                load(module);
            }
            loading = new CudaStream(this, 8 << 20);
        } catch (RuntimeException failure) {
            JCudaDriver.cuDevicePrimaryCtxRelease(device);
            throw failure;
        }
    }

    private static long freeMemory() {
        long[] free = new long[1];
        Cuda.check(JCudaDriver.cuMemGetInfo(free, new long[1]), "asking for free device memory");
        return Math.max(0, free[0] - RESERVE);
    }

    private void load(String name) {
        String ptx = source(name);
        byte[] text = ptx.getBytes(StandardCharsets.US_ASCII);
        var module = new CUmodule();
        byte[] terminated = Arrays.copyOf(text, text.length + 1);
        int result = JCudaDriver.cuModuleLoadData(module, terminated);
        if (result == CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION) {
            throw new ClusterException(
                    ErrorReason.NOT_IMPLEMENTED,
                    "the CUDA driver, made for CUDA " + driverVersion
                            + ", is too old for the PTX of the kernels (CUDA's"
                            + " error 222); update NVIDIA's driver");
        }
        Cuda.check(result, "loading the kernels of " + name);
        modules.add(module);
        for (KernelSignature signature : KernelSignature.parse(ptx)) {
            var function = new CUfunction();
            Cuda.check(
                    JCudaDriver.cuModuleGetFunction(function, module, signature.name()),
                    "finding kernel " + signature.name());
            entries.put(signature.name(), new Entry(signature.name(), function, signature));
        }
    }

    /// The PTX of a module, as it lies among the resources.
    static String source(String name) {
        try (InputStream in = CudaDevice.class.getResourceAsStream(name + ".ptx")) {
            if (in == null) {
                throw new IllegalStateException("no kernels " + name + " among the resources");
            }
            return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
        } catch (IOException e) {
            throw new UncheckedIOException("reading the kernels of " + name, e);
        }
    }

    /// Makes the device's context the calling thread's. Every use of the driver begins with it.
    void use() {
        Cuda.check(JCudaDriver.cuCtxSetCurrent(context), "using " + description.name());
    }

    Entry entry(String kernel) {
        Entry entry = entries.get(kernel);
        if (entry == null) {
            throw new IllegalArgumentException("no kernel " + kernel);
        }
        return entry;
    }

    /// Which device it is.
    public CudaDriver.Description description() {
        return description;
    }

    /// For people: the CUDA version of its driver.
    public String driverVersion() {
        return driverVersion;
    }

    /// Most bytes of device memory that it may take.
    public long memoryLimit() {
        return pool.limit();
    }

    /// Bytes of device memory in use.
    public long memoryUsed() {
        return pool.used();
    }

    /// Takes memory in one piece before it is needed.
    ///
    /// @throws ClusterException TOO_LARGE with the numbers if the device has less.
    public void reserve(long bytes) {
        use();
        pool.reserve(bytes);
    }

    /// Zeroed device memory.
    DevicePool.Block allocate(long bytes) {
        use();
        DevicePool.Block block = pool.allocate(bytes);
        synchronized (loading) {
            loading.clear(block.address(), bytes);
            loading.await();
        }
        return block;
    }

    /// Device memory with a copy of host bytes.
    DevicePool.Block upload(MemorySegment bytes) {
        use();
        DevicePool.Block block = pool.allocate(bytes.byteSize());
        synchronized (loading) {
            loading.write(bytes, block.address());
            loading.await();
        }
        return block;
    }

    /// Gives memory back. No operation that uses it may be queued or running.
    void release(DevicePool.Block block) {
        use();
        pool.release(block);
    }

    /// Frees all memory. Its backends are closed before.
    @Override
    public void close() {
        use();
        loading.close();
        pool.close();
        for (CUmodule module : modules) {
            JCudaDriver.cuModuleUnload(module);
        }
        JCudaDriver.cuDevicePrimaryCtxRelease(device);
    }
}
