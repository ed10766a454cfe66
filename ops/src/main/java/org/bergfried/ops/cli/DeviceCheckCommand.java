package org.bergfried.ops.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.bergfried.worker.tool.DeviceCheck;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Compares a device with the scalar backend.
@Command(
        name = "check",
        mixinStandardHelpOptions = true,
        description = {
            "Compares every operation of a backend with the scalar one, bit for bit, on generated shapes and data,",
            "and measures its bandwidth. Ends with 1 if any bit differs or the backend cannot be used."
        })
final class DeviceCheckCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Mixin
    private CudaOptions cuda = new CudaOptions();

    @Option(
            names = "--backend",
            paramLabel = "B",
            defaultValue = "cuda",
            description = "cuda (default), native, vector.")
    private String backend = "cuda";

    @Option(
            names = "--seeds",
            paramLabel = "N",
            defaultValue = "10",
            description = "Sets of shapes and data for each operation (default: ${DEFAULT-VALUE}).")
    private int seeds = 10;

    @Option(
            names = "--megabytes",
            paramLabel = "N",
            defaultValue = "256",
            description = "Size of what the bandwidth is measured on (default: ${DEFAULT-VALUE}).")
    private int megabytes = 256;

    DeviceCheckCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        if (seeds < 1 || megabytes < 1 || megabytes > 1024) {
            throw new CommandFailure("--seeds must be 1 or more, --megabytes from 1 to 1024");
        }
        try (var check = DeviceCheck.of(backend, cuda.settings(), surroundings.clock())) {
            surroundings.out().println(check.description());
            var differences = new ArrayList<String>();
            check.compare(seeds, comparison -> report(comparison, differences));
            check.measure((long) megabytes << 20, this::report);
            return conclude(differences);
        }
    }

    private void report(DeviceCheck.Comparison comparison, List<String> differences) {
        differences.addAll(comparison.differences());
        String result = comparison.differences().isEmpty() ? "equal" : "DIFFERENT";
        surroundings.out().printf("%-36s %s%n", comparison.operation(), result);
    }

    private void report(DeviceCheck.Speed speed) {
        surroundings.out().printf("%-36s %.1f GB/s%n", speed.what(), speed.bytesPerSecond() / 1e9);
    }

    private int conclude(List<String> differences) {
        if (differences.isEmpty()) {
            surroundings.out().println("Every operation of " + backend + " gives the bits of the scalar backend.");
            return 0;
        }
        differences.forEach(difference -> surroundings.err().println("other bits: " + difference));
        return BergfriedMain.FAILED;
    }
}
