package org.bergfried.ops.cli;

import org.bergfried.ops.bench.PlannerBenchmark;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Times the planner.
@Command(
        name = "planner",
        mixinStandardHelpOptions = true,
        description = "Times the planner of expert placement on a map of DeepSeek-V3's size.")
final class PlannerBenchCommand implements Runnable {
    private static final int WORKERS_MAX = 256;

    private final Surroundings surroundings;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before run
    private CommandSpec spec;

    @Option(
            names = "--workers",
            paramLabel = "N",
            defaultValue = "64",
            description = "Expert workers (default: ${DEFAULT-VALUE}).")
    private int workers = 64;

    PlannerBenchCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public void run() {
        if (workers < 2 || workers > WORKERS_MAX) {
            throw new ParameterException(
                    spec.commandLine(), "--workers " + workers + " must be from 2 to " + WORKERS_MAX);
        }
        new PlannerBenchmark(surroundings.clock(), workers).run().forEach(surroundings.out()::println);
    }
}
