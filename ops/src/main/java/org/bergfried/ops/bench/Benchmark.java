package org.bergfried.ops.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.tool.SpeedRun;
import org.jspecify.annotations.Nullable;

/// A whole benchmark: opens what is asked for, measures, and tells.
public final class Benchmark {
    private static final int PEER_PROMPT_SLACK = 8;

    private final Clock clock;
    private final Consumer<String> progress;

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
    /// @param backend     `auto` or a backend's name.
    /// @param threads     compute threads; 0 for all that may be used.
    /// @param prompts     lengths of prompts.
    /// @param streams     numbers of streams.
    /// @param repetitions of each figure.
    /// @param peer        where llama.cpp is; null without.
    public record Order(
            Path model,
            String backend,
            int threads,
            List<Integer> prompts,
            List<Integer> streams,
            int repetitions,
            @Nullable Peer peer) {}

    /// Where the prebuilt llama.cpp is.
    ///
    /// @param script  what drives it.
    /// @param modules the folder with `node_modules`.
    public record Peer(Path script, Path modules) {}

    /// What was found.
    ///
    /// @param json  for programs.
    /// @param table for people, line by line.
    public record Result(String json, List<String> table) {}

    /// Measures.
    ///
    /// @throws ClusterException if a model cannot be opened.
    public Result run(Order order) {
        int threads = order.threads() == 0 ? Runtime.getRuntime().availableProcessors() : order.threads();
        progress.accept("measuring how fast " + threads + " threads read memory ...");
        double readRate = ReadBandwidth.measure(threads, clock);
        var wishes = new Bench.Wishes(order.prompts(), order.streams());
        progress.accept("loading " + order.model() + " ...");
        int streams = wishes.streamsMax();
        try (var run = new SpeedRun(order.model(), order.backend(), threads, wishes.positions(), streams, clock);
                var peers = new Peers(order, threads, wishes)) {
            var engine = new EngineSubject(run);
            List<Bench.Figure> figures = new Bench(engine, peers.peer(), order.repetitions(), progress).run(wishes);
            var report = new BenchReport(
                    BenchReport.Machine.here(clock.wallMillis()),
                    run.model(),
                    String.valueOf(order.model().getFileName()),
                    run.description(),
                    peers.peer().map(Subject::description),
                    readRate,
                    load(engine),
                    peers.peer().map(Benchmark::load),
                    figures,
                    order.repetitions());
            return new Result(report.json(), report.table());
        }
    }

    /// The names of synthetic models.
    public static List<String> syntheticNames() {
        return Arrays.stream(SyntheticModel.values()).map(SyntheticModel::title).toList();
    }

    /// Writes a synthetic model, if its file is not there yet.
    ///
    /// @param name   one of {@link #syntheticNames}.
    /// @param type   Q4_0, Q8_0 or Q4_K.
    /// @param layers 0 for the model's default.
    /// @return the file.
    /// @throws ClusterException INVALID_REQUEST if there is no such model or type.
    public Path synthetic(String name, String type, int layers, Path directory) {
        SyntheticModel model = Arrays.stream(SyntheticModel.values())
                .filter(one -> one.title().equals(name))
                .findFirst()
                .orElseThrow(() -> invalid("synthetic model \"" + name + "\" is unknown; it is one of "
                        + String.join(", ", syntheticNames())));
        WeightType weights = Arrays.stream(new WeightType[] {WeightType.Q4_0, WeightType.Q8_0, WeightType.Q4_K})
                .filter(one -> one.name().equals(type))
                .findFirst()
                .orElseThrow(() -> invalid("type \"" + type + "\" is unknown; it is one of Q4_0, Q8_0, Q4_K"));
        int count = layers == 0 ? model.layers() : layers;
        if (count < 2) {
            throw invalid("layers = " + count + " must be at least 2");
        }
        Path file = directory.resolve(name + "-" + type + "-" + count + "L.gguf");
        try {
            Files.createDirectories(directory);
            if (!Files.exists(file)) {
                progress.accept("writing " + file + " ...");
                model.draft(weights, count).write(file);
            }
            return file;
        } catch (IOException failure) {
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST,
                    "the model cannot be written to " + directory + ": " + failure,
                    failure);
        }
    }

    private static BenchReport.Load load(Subject subject) {
        return new BenchReport.Load(subject.loadSeconds(), subject.residentBytes());
    }

    private static ClusterException invalid(String message) {
        return new ClusterException(ErrorReason.INVALID_REQUEST, message);
    }

    /// The peer, if there is to be one.
    private final class Peers implements AutoCloseable {
        private final Optional<Subject> peer;

        Peers(Order order, int threads, Bench.Wishes wishes) {
            Peer where = order.peer();
            if (where == null) {
                peer = Optional.empty();
                return;
            }
            progress.accept("loading it with llama.cpp ...");
            int positions = wishes.positions() + PEER_PROMPT_SLACK;
            peer = Optional.of(new LlamaCpp(
                    where.script(), where.modules(), order.model(), threads, positions, wishes.streamsMax()));
        }

        Optional<Subject> peer() {
            return peer;
        }

        @Override
        public void close() {
            peer.ifPresent(Subject::close);
        }
    }
}
