package org.bergfried.worker.kernel.choice;

import java.util.function.Supplier;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.kernel.cpu.Kernels;
import org.bergfried.worker.kernel.foreign.NativeKernels;
import org.bergfried.worker.kernel.foreign.NativeLibrary;
import org.bergfried.worker.kernel.scalar.ScalarKernels;
import org.bergfried.worker.kernel.vector.VectorKernels;

/// The kernels of the CPU backends by name.
final class CpuKernels {
    private static final boolean VECTOR_API =
            ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();

    private CpuKernels() {}

    /// Whether the JVM was started with the Vector API.
    static boolean hasVectorApi() {
        return VECTOR_API;
    }

    /// Makes the kernels of a name; `auto` stands for the fastest that this machine can run.
    static Supplier<Kernels> named(String name) {
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
                yield CpuKernels::foreign;
            }
            case "auto" -> NativeLibrary.variants().isEmpty() ? CpuKernels::portable : CpuKernels::foreign;
            default ->
                throw new ClusterException(
                        ErrorReason.INVALID_REQUEST,
                        "backend " + name + " is unknown; it is one of auto, cuda, native, vector, scalar");
        };
    }

    /// The fastest kernels in Java.
    private static Kernels portable() {
        return VECTOR_API ? new VectorKernels() : new ScalarKernels();
    }

    private static Kernels foreign() {
        return new NativeKernels(portable(), NativeLibrary.variants().getFirst());
    }
}
