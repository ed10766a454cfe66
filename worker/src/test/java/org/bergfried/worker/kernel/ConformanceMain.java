package org.bergfried.worker.kernel;

import java.util.List;
import org.bergfried.worker.kernel.check.Conformance;
import org.bergfried.worker.kernel.cpu.CpuBackend;
import org.bergfried.worker.kernel.foreign.NativeKernels;
import org.bergfried.worker.kernel.foreign.NativeLibrary;
import org.bergfried.worker.kernel.foreign.Variant;
import org.bergfried.worker.kernel.scalar.ScalarKernels;

/// Compares every variant of the library that this process was told to load with the scalar backend. Prints one line
/// about the library, then one for each variant.
public final class ConformanceMain {
    private ConformanceMain() {}

    /// Takes no arguments.
    public static void main(String[] args) {
        System.out.println(NativeLibrary.describe());
        for (Variant variant : NativeLibrary.variants()) {
            try (Backend oracle = CpuBackend.alone(new ScalarKernels(), 1);
                    Backend candidate = CpuBackend.alone(new NativeKernels(new ScalarKernels(), variant), 1)) {
                List<String> differences = Conformance.differences(oracle, candidate, 5);
                System.out.println(variant + " " + differences);
            }
        }
    }
}
