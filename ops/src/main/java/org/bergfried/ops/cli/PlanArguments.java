package org.bergfried.ops.cli;

import org.bergfried.proto.admin.v1.PlanOptions;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// What a plan is made for.
final class PlanArguments {
    @Option(
            names = "--window",
            paramLabel = "SECONDS",
            defaultValue = "600",
            description = "The load of so many past seconds counts, 1 to 600 (default: ${DEFAULT-VALUE}).")
    private int window = 600;

    @Option(
            names = "--gain-min",
            paramLabel = "G",
            description = "A layer changes only if its fullest worker gets faster by that share (default: 0.03).")
    private @Nullable Double gainMin;

    @Option(names = "--replicas-max", paramLabel = "N", description = "Most replicas of an expert (default: 16).")
    private int replicasMax;

    PlanOptions options() {
        var options = PlanOptions.newBuilder().setWindowSeconds(window).setReplicasMax(replicasMax);
        if (gainMin != null) {
            options.setGainMin(gainMin);
        }
        return options.build();
    }
}
