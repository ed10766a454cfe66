package org.bergfried.ops.cli;

import java.util.OptionalLong;
import org.bergfried.worker.kernel.cuda.CudaSettings;
import picocli.CommandLine.Option;

/// Which CUDA device a command uses.
final class CudaOptions {
    @Option(
            names = "--device",
            paramLabel = "N",
            defaultValue = "0",
            description = "Number of the CUDA device (default: 0).")
    private int device;

    @Option(
            names = "--library",
            paramLabel = "FILE",
            defaultValue = CudaSettings.LIBRARY,
            description = "The CUDA driver's library (default: ${DEFAULT-VALUE}).")
    private String library = CudaSettings.LIBRARY;

    @Option(
            names = "--allow-emulated",
            description = "Also uses a device that is emulated on the CPU: right for tests, slow otherwise.")
    private boolean allowEmulated;

    CudaSettings settings() {
        return new CudaSettings(device, OptionalLong.empty(), library, allowEmulated);
    }
}
