package org.bergfried.worker.kernel.choice;

import java.util.Optional;
import org.bergfried.worker.kernel.cpu.PeakLoops;
import org.bergfried.worker.kernel.foreign.NativeLibrary;
import org.bergfried.worker.kernel.foreign.NativePeakLoops;
import org.bergfried.worker.kernel.vector.VectorPeakLoops;

/// Chooses the loops that show a machine's limits.
public final class Peaks {
    private Peaks() {}

    /// Those in C where the library of kernels can be used, those of the Vector API where the JVM has it; else none.
    public static Optional<PeakLoops> loops() {
        if (!NativeLibrary.variants().isEmpty()) {
            return Optional.of(new NativePeakLoops(NativeLibrary.variants().getFirst()));
        }
        return CpuKernels.hasVectorApi() ? Optional.of(new VectorPeakLoops()) : Optional.empty();
    }
}
