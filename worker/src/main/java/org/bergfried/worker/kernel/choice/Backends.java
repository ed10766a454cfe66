package org.bergfried.worker.kernel.choice;

import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.bergfried.contract.ClusterException;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.WeightSize;
import org.bergfried.worker.kernel.cpu.ComputePool;
import org.bergfried.worker.kernel.cpu.CpuBackend;
import org.bergfried.worker.kernel.cpu.Kernels;
import org.bergfried.worker.kernel.cpu.ThreadCount;
import org.bergfried.worker.kernel.cuda.CudaBackend;
import org.bergfried.worker.kernel.cuda.CudaDevice;
import org.bergfried.worker.kernel.cuda.CudaSettings;
import org.bergfried.worker.kernel.foreign.NativeLibrary;
import org.bergfried.worker.machine.Pinning;
import org.bergfried.worker.machine.Processors;
import org.jspecify.annotations.Nullable;

/// The backends of one worker: one for the trunk's thread and one for each thread of expert jobs. Those on the CPU
/// share a pool of compute threads on which expert jobs go first, those on a GPU share the device; matrices that
/// one of them loaded may be used by the others of its kind.
public final class Backends implements AutoCloseable {
    private static final String CUDA = "cuda";
    private static final String AUTO = "auto";

    private final Part trunk;
    private final Part experts;
    private final @Nullable CudaDevice device;
    private final ComputePool pool;
    private final String description;
    private volatile LongConsumer onRead = bytes -> {};

    /// What one role computes with.
    ///
    /// @param kernels  of the CPU, also beside a GPU: for what that has no kernel for.
    /// @param onDevice whether the GPU computes.
    /// @param reason   why `auto` did not take a GPU; empty otherwise.
    private record Part(Supplier<Kernels> kernels, boolean onDevice, String reason) {
        static Part of(String name, CudaSettings cuda) {
            if (name.equals(CUDA)) {
                CudaDevice.find(cuda);
                return new Part(CpuKernels.named(AUTO), true, "");
            }
            Supplier<Kernels> kernels = CpuKernels.named(name);
            if (!name.equals(AUTO)) {
                return new Part(kernels, false, "");
            }
            try {
                CudaDevice.find(cuda.withEmulated(false));
                return new Part(kernels, true, "");
            } catch (ClusterException none) {
                return new Part(kernels, false, "; not on a GPU: " + none.text());
            }
        }

        String name() {
            return onDevice ? CUDA : kernels.get().name();
        }
    }

    private Backends(BackendChoice choice) {
        choice.openLibrary();
        trunk = Part.of(choice.trunk(), choice.cuda());
        experts = Part.of(choice.experts(), choice.cuda());
        Processors processors = Processors.ofProcess();
        ThreadCount threads = ThreadCount.choose(choice.threads(), processors);
        device = trunk.onDevice || experts.onDevice ? CudaDevice.open(choice.cuda()) : null;
        boolean isPinned = choice.pinned() && processors.allowed().size() > 1;
        pool = new ComputePool(threads.threads(), isPinned ? Pinning.within(processors) : Pinning.NONE);
        description = "backend " + names(trunk, experts)
                + (device == null
                        ? trunk.reason
                        : " on " + device.description().text() + ", driver for CUDA " + device.driverVersion())
                + "; kernels in C: " + NativeLibrary.describe() + "; " + threads.reason()
                + (isPinned ? ", each bound to one of processors " + processors.allowed() : "");
    }

    /// Starts the compute threads, and opens the device where one is wanted: by name, or by `auto` if a real one
    /// answers.
    ///
    /// @throws ClusterException if a backend that is named cannot be used here.
    public static Backends open(BackendChoice choice) {
        return new Backends(choice);
    }

    /// One backend with compute threads, or a device, of its own, which end with it: for tools and tests.
    ///
    /// @param name    `auto` or a backend's name.
    /// @param threads compute threads; 0 for all that affinity and CPU quota grant.
    public static Backend create(String name, int threads) {
        return create(name, threads, CudaSettings.defaults());
    }

    /// The same on a device.
    public static Backend create(String name, int threads, CudaSettings cuda) {
        Part part = Part.of(name, cuda);
        CpuBackend cpu = CpuBackend.alone(
                part.kernels.get(),
                ThreadCount.choose(threads, Processors.ofProcess()).threads());
        return part.onDevice ? CudaBackend.alone(CudaDevice.open(cuda), cpu) : cpu;
    }

    /// The names of what a choice stands for on this machine, that of the trunk first where they differ.
    public static String chosen(BackendChoice choice) {
        choice.openLibrary();
        return names(Part.of(choice.trunk(), choice.cuda()), Part.of(choice.experts(), choice.cuda()));
    }

    private static String names(Part trunk, Part experts) {
        return trunk.name().equals(experts.name()) ? trunk.name() : trunk.name() + "+" + experts.name();
    }

    /// Who hears of bytes of files as weights are loaded, on any thread.
    public void onRead(LongConsumer listener) {
        onRead = listener;
    }

    /// A backend for the thread that runs the trunk's steps. It is closed before this is.
    public Backend trunk() {
        return backend(trunk, ComputePool.Priority.TRUNK);
    }

    /// A backend for a thread that runs expert jobs. It is closed before this is.
    public Backend expert() {
        return backend(experts, ComputePool.Priority.EXPERT);
    }

    private Backend backend(Part part, ComputePool.Priority priority) {
        var cpu = new CpuBackend(part.kernels.get(), pool, priority, bytes -> onRead.accept(bytes));
        return part.onDevice && device != null ? new CudaBackend(device, cpu) : cpu;
    }

    /// Whether the trunk's weights, pages and activations are in device memory.
    public boolean trunkOnDevice() {
        return trunk.onDevice;
    }

    /// Whether the experts' weights and activations are in device memory.
    public boolean expertsOnDevice() {
        return experts.onDevice;
    }

    /// Most bytes of device memory; 0 without a device.
    public long deviceMemory() {
        return device == null ? 0 : device.memoryLimit();
    }

    /// What the experts' weights will take of the memory where they are.
    public WeightSize expertWeights() {
        return experts.onDevice ? CudaBackend.WEIGHTS : CpuBackend.WEIGHTS;
    }

    /// Takes device memory in one piece before it is needed.
    public void reserveDevice(long bytes) {
        if (device != null) {
            device.reserve(bytes);
        }
    }

    /// Which backend on what, and why, for the log.
    public String description() {
        return description;
    }

    /// Ends the compute threads and lets go of the device.
    @Override
    public void close() {
        pool.close();
        if (device != null) {
            device.close();
        }
    }
}
