package org.bergfried.ops.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.bergfried.ops.bench.Benchmark;
import org.bergfried.ops.bench.Rival;
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
            "a rival on the same file, in alternation within one run. Without a model it makes one of random weights.",
            "A Ctrl-C shows what is known by then."
        })
final class BenchCommand implements Runnable {
    private static final Duration WARM = Duration.ofMillis(1500);
    private static final String LLAMA_CPP = "llama.cpp";
    private static final String UNDISTURBED = "undisturbed";
    private static final String ONE_WORKER = "one-worker";
    private static final Set<String> BACKENDS = Set.of("scalar", "vector", "native", "cuda");

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
                description = "How its weights are coded: Q4_0 (default), Q8_0, Q4_K, Q4_K_M (llama.cpp's mix).")
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

    @Option(
            names = "--workers",
            paramLabel = "N",
            description = "Measures N worker processes behind a router instead of the engine in this process.")
    private int workers;

    @Option(names = "--pinned", description = "With --workers: one core for each of them.")
    private boolean pinned;

    @Option(
            names = "--against",
            paramLabel = "RIVAL",
            description = {
                "Also measures a rival, in alternation: llama.cpp; the name of a backend; undisturbed (and the engine",
                "beside a process that is busy all the time); one-worker (with --workers)."
            })
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
        if (workers > 0) {
            requireRange("--workers", workers, 64);
        }
        var benchmark = new Benchmark(surroundings.clock(), surroundings.err()::println);
        Rival rival = rival();
        Path model = model(benchmark);
        var order = new Benchmark.Order(
                model,
                backend,
                threads,
                prompts,
                streams,
                repetitions,
                WARM,
                workers,
                pinned,
                new BenchClusters(surroundings),
                rival);
        var onEnd = Thread.ofPlatform().unstarted(() -> {
            benchmark.abort();
            benchmark.partial().ifPresent(this::show);
        });
        Runtime.getRuntime().addShutdownHook(onEnd);
        Benchmark.Result result = benchmark.run(order);
        Runtime.getRuntime().removeShutdownHook(onEnd);
        show(result);
    }

    private void show(Benchmark.Result result) {
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

    private Rival rival() {
        boolean needsWorkers = ONE_WORKER.equals(against);
        if ((pinned || needsWorkers) && workers == 0) {
            throw new ParameterException(spec.commandLine(), "--pinned and --against one-worker need --workers");
        }
        return switch (against) {
            case null -> new Rival.Nobody();
            case LLAMA_CPP -> llamaCpp();
            case UNDISTURBED -> new Rival.Undisturbed();
            case ONE_WORKER -> new Rival.OneWorker();
            case String name when BACKENDS.contains(name) -> new Rival.Backend(name);
            case String name ->
                throw new ParameterException(
                        spec.commandLine(),
                        "--against " + name + " is unknown; it is llama.cpp, undisturbed, one-worker or a backend");
        };
    }

    private Rival llamaCpp() {
        String modules = System.getProperty("bergfried.llama", "");
        if (modules.isEmpty()) {
            throw new CommandFailure("llama.cpp is missing: start the benchmark with ops/bergfried, which installs it");
        }
        return new Rival.Peer(surroundings.home().resolve("bench").resolve("llama.mjs"), Path.of(modules));
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
