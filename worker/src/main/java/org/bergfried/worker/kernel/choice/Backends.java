package org.bergfried.worker.kernel.choice;

import java.util.function.Supplier;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.cpu.ComputePool;
import org.bergfried.worker.kernel.cpu.CpuBackend;
import org.bergfried.worker.kernel.cpu.Kernels;
import org.bergfried.worker.kernel.cpu.ThreadCount;
import org.bergfried.worker.kernel.foreign.NativeKernels;
import org.bergfried.worker.kernel.foreign.NativeLibrary;
import org.bergfried.worker.kernel.scalar.ScalarKernels;
import org.bergfried.worker.kernel.vector.VectorKernels;

/// The backends of one worker: one for the trunk's thread and one for each thread of expert jobs, all on one pool of
/// compute threads on which expert jobs go first. Matrices that one of them loaded may be used by the others.
public final class Backends implements AutoCloseable {
    private static final boolean VECTOR_API =
            ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();

    private final Supplier<Kernels> kernels;
    private final ComputePool pool;
    private final String description;

    private Backends(Supplier<Kernels> kernels, ThreadCount threads) {
        this.kernels = kernels;
        this.pool = new ComputePool(threads.threads());
        this.description = "backend " + kernels.get().name() + "; kernels in C: " + NativeLibrary.describe() + "; "
                + threads.reason();
    }

    /// Starts the compute threads of the named backend: `scalar`, `vector`, `native`, or `auto` for the fastest
    /// of them that this machine can run.
    ///
    /// @param name    from the configuration.
    /// @param threads compute threads; 0 for all that affinity and CPU quota grant.
    public static Backends open(String name, int threads) {
        Supplier<Kernels> kernels = kernels(name);
        return new Backends(kernels, granted(threads));
    }

    /// One backend with compute threads of its own, which end with it: for tools and tests. Arguments as of [#open].
    public static Backend create(String name, int threads) {
        Kernels kernels = kernels(name).get();
        return CpuBackend.alone(kernels, granted(threads).threads());
    }

    /// The name of the backend that a configured name stands for: what `auto` chooses on this machine.
    public static String chosen(String name) {
        return kernels(name).get().name();
    }

    static boolean hasVectorApi() {
        return VECTOR_API;
    }

    private static ThreadCount granted(int threads) {
        return ThreadCount.choose(threads, Runtime.getRuntime().availableProcessors());
    }

    private static Supplier<Kernels> kernels(String name) {
        return switch (name) {
            case "scalar" -> ScalarKernels::new;
            case "vector" -> {
                if (!VECTOR_API) {
                    throw new ClusterException(
                            ErrorReason.INVALID_REQUEST,
                            "backend vector needs the JVM option --add-modules jdk.incubator.vector; add it or set the"
                                    + " backend to scalar");
                }
                yield VectorKernels::new;
            }
            case "native" -> {
                if (NativeLibrary.variants().isEmpty()) {
                    throw new ClusterException(
                            ErrorReason.INVALID_REQUEST,
                            "backend native cannot run here: " + NativeLibrary.describe()
                                    + "; set the backend to auto, vector or scalar");
                }
                yield Backends::nativeKernels;
            }
            case "auto" -> NativeLibrary.variants().isEmpty() ? Backends::portable : Backends::nativeKernels;
            case "cuda" ->
                throw new ClusterException(
                        ErrorReason.NOT_IMPLEMENTED,
                        "backend " + name + " is not built yet; set it to auto, native, vector or scalar");
            default ->
                throw new ClusterException(
                        ErrorReason.INVALID_REQUEST,
                        "backend " + name + " is unknown; it is one of auto, native, vector, scalar");
        };
    }

    /// The fastest kernels in Java.
    private static Kernels portable() {
        return VECTOR_API ? new VectorKernels() : new ScalarKernels();
    }

    private static Kernels nativeKernels() {
        return new NativeKernels(portable(), NativeLibrary.variants().getFirst());
    }

    /// A backend for the thread that runs the trunk's steps. It is closed before this is.
    public Backend trunk() {
        return new CpuBackend(kernels.get(), pool, ComputePool.Priority.TRUNK);
    }

    /// A backend for a thread that runs expert jobs. It is closed before this is.
    public Backend expert() {
        return new CpuBackend(kernels.get(), pool, ComputePool.Priority.EXPERT);
    }

    /// Which backend with how many threads, and why, for the log.
    public String description() {
        return description;
    }

    /// Ends the compute threads.
    @Override
    public void close() {
        pool.close();
    }
}
