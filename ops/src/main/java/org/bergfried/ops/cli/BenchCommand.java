package org.bergfried.ops.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.bergfried.ops.bench.Benchmark;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Measures the engine on this machine.
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        description = {
            "Measures the engine on this machine and a model: how fast prompts are read, how fast streams go on,",
            "how long loading takes and what memory it needs, beside the machine's limit and, with --against, beside",
            "llama.cpp on the same file, in alternation within one run. Without a model it makes one of random weights."
        })
final class BenchCommand implements Runnable {
    private static final String LLAMA_CPP = "llama.cpp";

    private final Surroundings surroundings;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before run
    private CommandSpec spec;

    @ArgGroup(exclusive = true)
    private @Nullable What what;

    /// A model that is there or one to be made.
    static final class What {
        @Parameters(paramLabel = "MODEL", description = "A directory with safetensors, or a GGUF file.")
        private @Nullable Path model;

        @ArgGroup(exclusive = false)
        private @Nullable Synthetic synthetic;
    }

    /// A model to be made.
    static final class Synthetic {
        @Option(
                names = "--synthetic",
                required = true,
                paramLabel = "NAME",
                description = "Random weights in the shapes of: deepseek-v2-lite, qwen3-30b-a3b, deepseek-v3-small.")
        private String name = "";

        @Option(
                names = "--type",
                paramLabel = "T",
                defaultValue = "Q4_0",
                description = "How its weights are coded: Q4_0 (default), Q8_0, Q4_K (with Q6_K, as in Q4_K_M).")
        private String type = "Q4_0";

        @Option(names = "--layers", paramLabel = "N", description = "Its layers (default: 2 to 4, about 1 GB).")
        private int layers;

        @Option(
                names = "--directory",
                paramLabel = "DIR",
                description = "Where its file is kept (default: bergfried-bench in the temporary directory).")
        private @Nullable Path directory;
    }

    @Option(names = "--backend", paramLabel = "B", defaultValue = "auto", description = "auto (default) or a name.")
    private String backend = "auto";

    @Option(names = "--threads", paramLabel = "N", description = "Compute threads (default: all that may be used).")
    private int threads;

    @Option(
            names = "--prefill",
            split = ",",
            paramLabel = "N",
            defaultValue = "32,128,512",
            description = "Lengths of prompts (default: ${DEFAULT-VALUE}).")
    private List<Integer> prompts = List.of();

    @Option(
            names = "--streams",
            split = ",",
            paramLabel = "N",
            defaultValue = "1,4,8,16",
            description = "Numbers of streams that decode at a time (default: ${DEFAULT-VALUE}).")
    private List<Integer> streams = List.of();

    @Option(
            names = "--repetitions",
            paramLabel = "N",
            defaultValue = "7",
            description = "Of each figure (default: ${DEFAULT-VALUE}).")
    private int repetitions = 7;

    @Option(names = "--against", paramLabel = "PEER", description = "Also measures a peer: llama.cpp.")
    private @Nullable String against;

    @Option(names = "--json", paramLabel = "FILE", description = "Also writes the figures as JSON.")
    private @Nullable Path json;

    BenchCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public void run() {
        requireRange("--repetitions", repetitions, 1000);
        prompts.forEach(tokens -> requireRange("--prefill", tokens, 8192));
        streams.forEach(count -> requireRange("--streams", count, 256));
        var benchmark = new Benchmark(surroundings.clock(), surroundings.err()::println);
        var peer = peer();
        Path model = model(benchmark);
        var order = new Benchmark.Order(model, backend, threads, prompts, streams, repetitions, peer);
        Benchmark.Result result = benchmark.run(order);
        result.table().forEach(surroundings.out()::println);
        if (json != null) {
            write(json, result.json());
        }
    }

    private Path model(Benchmark benchmark) {
        if (what != null && what.model != null) {
            return what.model;
        }
        if (what != null && what.synthetic != null) {
            return make(benchmark, what.synthetic);
        }
        throw new ParameterException(spec.commandLine(), "Name a model or --synthetic.");
    }

    private Path make(Benchmark benchmark, Synthetic synthetic) {
        Path directory = synthetic.directory == null
                ? Path.of(System.getProperty("java.io.tmpdir"), "bergfried-bench")
                : synthetic.directory;
        return benchmark.synthetic(synthetic.name, synthetic.type, synthetic.layers, directory);
    }

    private Benchmark.@Nullable Peer peer() {
        if (against == null) {
            return null;
        }
        if (!against.equals(LLAMA_CPP)) {
            throw new ParameterException(
                    spec.commandLine(), "--against " + against + " is unknown; it is " + LLAMA_CPP);
        }
        String modules = System.getProperty("bergfried.llama", "");
        if (modules.isEmpty()) {
            throw new CommandFailure("llama.cpp is missing: start the benchmark with ops/bergfried, which installs it");
        }
        return new Benchmark.Peer(surroundings.home().resolve("bench").resolve("llama.mjs"), Path.of(modules));
    }

    private void requireRange(String option, int value, int max) {
        if (value < 1 || value > max) {
            throw new ParameterException(spec.commandLine(), option + " " + value + " must be from 1 to " + max);
        }
    }

    private static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException failure) {
            throw new CommandFailure("--json " + file + " cannot be written: " + failure, failure);
        }
    }
}
