package org.bergfried.ops.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.model.ModelDescription;
import org.bergfried.worker.model.Models;
import org.bergfried.worker.tool.MachineLimits;
import org.jspecify.annotations.Nullable;

/// A whole benchmark: opens what is asked for, measures, and tells. Another thread may ask for what is known so far
/// and end the rest.
public final class Benchmark {
    private final Clock clock;
    private final Consumer<String> progress;
    private @Nullable BenchReport report; // guarded by this; grows with each figure
    private @Nullable Subjects open; // guarded by this

    /// Nothing is opened yet.
    ///
    /// @param progress gets lines for people.
    public Benchmark(Clock clock, Consumer<String> progress) {
        this.clock = clock;
        this.progress = progress;
    }

    /// What to measure.
    ///
    /// @param model       a directory with safetensors, or a .gguf file.
    /// @param backend     `auto` or a backend's name, of the engine in this process.
    /// @param threads     compute threads; 0 for all that may be used.
    /// @param prompts     lengths of prompts.
    /// @param streams     numbers of streams.
    /// @param repetitions of each figure.
    /// @param warm        how long each figure is measured before it counts, at least once.
    /// @param workers     processes of a cluster to measure; 0 for the engine in this process.
    /// @param pinned      whether each worker process has one core.
    /// @param clusters    starts them.
    /// @param rival       what is measured in alternation.
    public record Order(
            Path model,
            String backend,
            int threads,
            List<Integer> prompts,
            List<Integer> streams,
            int repetitions,
            Duration warm,
            int workers,
            boolean pinned,
            Clusters clusters,
            Rival rival) {
        /// Copies.
        public Order {
            prompts = List.copyOf(prompts);
            streams = List.copyOf(streams);
        }

        Bench.Wishes wishes() {
            return new Bench.Wishes(prompts, streams);
        }
    }

    /// What was found.
    ///
    /// @param json  for programs.
    /// @param table for people, line by line.
    public record Result(String json, List<String> table) {
        static Result of(BenchReport report) {
            return new Result(report.json(), report.table());
        }
    }

    /// Measures.
    ///
    /// @throws ClusterException if a model cannot be opened.
    public Result run(Order order) {
        int threads = order.threads() == 0 ? Runtime.getRuntime().availableProcessors() : order.threads();
        progress.accept("measuring what " + threads + " threads of this machine can do ...");
        var limits = MachineLimits.measure(threads, clock);
        ModelDescription model = describe(order.model());
        try (var subjects = new Subjects(order, model, threads, clock, progress)) {
            remember(subjects);
            Subject engine = subjects.engine();
            var side = BenchReport.Side.loaded(engine);
            Optional<Subject> rival = subjects.rival(engine);
            var begun = new BenchReport(
                    BenchReport.Machine.here(clock.wallMillis()),
                    limits,
                    model,
                    String.valueOf(order.model().getFileName()),
                    side,
                    rival.map(BenchReport.Side::loaded),
                    new ArrayList<>(),
                    order.repetitions(),
                    false);
            grow(begun);
            new Bench(engine, rival, order.repetitions(), order.warm(), clock, progress).run(order.wishes(), this::add);
            return finish(engine, rival);
        }
    }

    /// What is known so far, marked as incomplete; empty before anything was measured.
    public synchronized Optional<Result> partial() {
        return Optional.ofNullable(report).map(Result::of);
    }

    /// Ends processes that were started, in the middle of whatever is measured.
    public void abort() {
        Subjects ending;
        synchronized (this) {
            ending = open;
            open = null;
        }
        if (ending != null) {
            ending.endProcesses();
        }
    }

    private synchronized void remember(Subjects subjects) {
        open = subjects;
    }

    private synchronized void grow(BenchReport begun) {
        report = begun;
    }

    private synchronized void add(Bench.Figure figure) {
        report = report == null ? null : report.with(figure);
    }

    private synchronized Result finish(Subject engine, Optional<Subject> rival) {
        if (report == null) {
            throw new IllegalStateException("nothing was measured");
        }
        open = null;
        return Result.of(report.finished(engine, rival));
    }

    private static ModelDescription describe(Path file) {
        try (Model model = Models.open(file)) {
            return ModelDescription.of(model);
        }
    }

    /// The names of synthetic models.
    public static List<String> syntheticNames() {
        return Arrays.stream(SyntheticModel.values()).map(SyntheticModel::title).toList();
    }

    /// Writes a synthetic model, if its file is not there yet.
    ///
    /// @param name   one of {@link #syntheticNames}.
    /// @param type   a [Mix].
    /// @param layers 0 for the model's default.
    /// @return the file.
    /// @throws ClusterException INVALID_REQUEST if there is no such model or type.
    public Path synthetic(String name, String type, int layers, Path directory) {
        SyntheticModel model = Arrays.stream(SyntheticModel.values())
                .filter(one -> one.title().equals(name))
                .findFirst()
                .orElseThrow(() -> invalid("synthetic model \"" + name + "\" is unknown; it is one of "
                        + String.join(", ", syntheticNames())));
        Mix mix = Arrays.stream(Mix.values())
                .filter(one -> one.name().equals(type))
                .findFirst()
                .orElseThrow(() -> invalid("type \"" + type + "\" is unknown; it is one of Q4_0, Q8_0, Q4_K, Q4_K_M"));
        int count = layers == 0 ? model.layers() : layers;
        if (count < 2) {
            throw invalid("layers = " + count + " must be at least 2");
        }
        Path file = directory.resolve(name + "-" + type + "-" + count + "L.gguf");
        try {
            Files.createDirectories(directory);
            if (!Files.exists(file)) {
                progress.accept("writing " + file + " ...");
                model.draft(mix, count).write(file);
            }
            return file;
        } catch (IOException failure) {
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST,
                    "the model cannot be written to " + directory + ": " + failure,
                    failure);
        }
    }

    private static ClusterException invalid(String message) {
        return new ClusterException(ErrorReason.INVALID_REQUEST, message);
    }
}
