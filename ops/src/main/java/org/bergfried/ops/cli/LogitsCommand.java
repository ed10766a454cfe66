package org.bergfried.ops.cli;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Callable;
import org.bergfried.worker.tool.LogitsJob;
import org.bergfried.worker.tool.LogitsJobs;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Computes logits and greedy continuations.
@Command(
        name = "logits",
        mixinStandardHelpOptions = true,
        description = {
            "Computes the logits of given tokens and a greedy continuation.",
            "With --jobs, a line of JSON per job: {model, tokens, out?, greedy?, backend?, workers?, chunk?, batch?};",
            "each is answered with {model, vocab, greedy, backend, numerics} or {model, error: {reason, message}}."
        })
final class LogitsCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @ArgGroup(multiplicity = "1", exclusive = true)
    @SuppressWarnings("NullAway.Init") // picocli sets it before run
    private Work work;

    /// One job or many.
    static final class Work {
        @Option(names = "--jobs", required = true, paramLabel = "FILE", description = "A line of JSON per job.")
        private @Nullable Path jobs;

        @ArgGroup(exclusive = false, multiplicity = "1")
        private @Nullable Single single;
    }

    /// One job.
    static final class Single {
        @Parameters(paramLabel = "MODEL", description = "A directory with safetensors, or a GGUF file.")
        private String model = "";

        @Option(
                names = "--tokens",
                required = true,
                paramLabel = "IDS",
                description = "Ids, separated by blanks or commas.")
        private String tokens = "";

        @Option(
                names = "--out",
                paramLabel = "FILE",
                description = "Gets the logits: little-endian float32 [tokens, vocabulary].")
        private @Nullable Path out;

        @Option(names = "--greedy", paramLabel = "N", description = "Ids to continue with; no id ends them.")
        private int greedy;

        @Option(
                names = "--backend",
                paramLabel = "B",
                defaultValue = "auto",
                description = "scalar, vector, native, cuda or auto (default).")
        private String backend = "auto";

        @Option(
                names = "--workers",
                paramLabel = "N",
                description = "Spreads the experts over N hosts, each behind a loopback channel (default: none).")
        private int workers;

        @Option(names = "--chunk", paramLabel = "N", description = "Tokens of the prompt computed in one step.")
        private int chunk;

        @Option(
                names = "--batch",
                paramLabel = "N",
                defaultValue = "1",
                description = "Runs it beside N - 1 other sequences (default: alone).")
        private int batch = 1;

        private LogitsJob job() {
            int[] ids;
            try {
                ids = Arrays.stream(tokens.strip().split("[\\s,]+"))
                        .mapToInt(Integer::parseInt)
                        .toArray();
            } catch (NumberFormatException e) {
                throw new CommandFailure("--tokens \"" + tokens + "\" are not numbers separated by blanks", e);
            }
            return new LogitsJob(model, ids, out, greedy, backend, workers, chunk, batch);
        }
    }

    LogitsCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        try (var jobs = new LogitsJobs(surroundings.cuda(), surroundings.clock())) {
            if (work.single != null) {
                surroundings.out().println(jobs.run(work.single.job()));
                return 0;
            }
            for (String line : Input.text(work.jobs).lines().toList()) {
                if (!line.isBlank()) {
                    surroundings.out().println(jobs.answer(line));
                }
            }
            return 0;
        }
    }
}
