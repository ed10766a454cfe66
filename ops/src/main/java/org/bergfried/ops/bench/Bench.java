package org.bergfried.ops.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;

/// Times one subject, or two in alternation within one run: whatever else the machine does meets both.
final class Bench {
    private static final int DECODE_TOKENS = 48;

    private final Subject engine;
    private final Optional<Subject> peer;
    private final int repetitions;
    private final Consumer<String> progress;

    /// What is measured.
    ///
    /// @param prompts lengths of prompts whose prefill is timed.
    /// @param streams numbers of streams whose decoding is timed.
    record Wishes(List<Integer> prompts, List<Integer> streams) {
        /// Copies.
        Wishes {
            prompts = List.copyOf(prompts);
            streams = List.copyOf(streams);
        }

        /// Most positions of a sequence.
        int positions() {
            return prompts.stream()
                    .mapToInt(Integer::intValue)
                    .map(tokens -> tokens + 1)
                    .reduce(128, Math::max);
        }

        /// Most streams at a time.
        int streamsMax() {
            return streams.stream().mapToInt(Integer::intValue).max().orElse(1);
        }
    }

    /// A figure.
    ///
    /// @param name   prefill or decode, and how many.
    /// @param rate   tokens per second of the engine, the median.
    /// @param low    the least of the repetitions.
    /// @param high   the most.
    /// @param peer   the peer's median.
    /// @param ratio  the median of the ratios of each repetition, engine over peer.
    record Figure(String name, double rate, double low, double high, Optional<Double> peer, Optional<Double> ratio) {}

    Bench(Subject engine, Optional<Subject> peer, int repetitions, Consumer<String> progress) {
        this.engine = engine;
        this.peer = peer;
        this.repetitions = repetitions;
        this.progress = progress;
    }

    List<Figure> run(Wishes wishes) {
        List<Figure> figures = new ArrayList<>();
        for (int tokens : wishes.prompts()) {
            figures.add(figure("prefill " + tokens, subject -> subject.prefillRate(tokens)));
        }
        for (int streams : wishes.streams()) {
            figures.add(figure("decode " + streams, subject -> subject.decodeRate(streams, DECODE_TOKENS)));
        }
        return figures;
    }

    private Figure figure(String name, ToDoubleFunction<Subject> measure) {
        double[] own = new double[repetitions];
        double[] others = new double[repetitions];
        double _ = measure.applyAsDouble(engine); // compiles and warms caches; not counted
        if (peer.isPresent()) {
            double _ = measure.applyAsDouble(peer.get());
        }
        for (int i = 0; i < repetitions; i++) {
            boolean engineFirst = i % 2 == 0;
            if (engineFirst) {
                own[i] = measure.applyAsDouble(engine);
            }
            if (peer.isPresent()) {
                others[i] = measure.applyAsDouble(peer.get());
            }
            if (!engineFirst) {
                own[i] = measure.applyAsDouble(engine);
            }
        }
        double[] ratios = new double[repetitions];
        for (int i = 0; i < repetitions; i++) {
            ratios[i] = own[i] / others[i];
        }
        var figure = new Figure(
                name,
                median(own),
                Arrays.stream(own).min().orElseThrow(),
                Arrays.stream(own).max().orElseThrow(),
                peer.map(present -> median(others)),
                peer.map(present -> median(ratios)));
        progress.accept(line(figure));
        return figure;
    }

    private String line(Figure figure) {
        String text = String.format(Locale.ROOT, "%-12s %9.1f tokens/s", figure.name(), figure.rate());
        return figure.ratio()
                .map(ratio -> text + String.format(Locale.ROOT, "  %.2f x the peer", ratio))
                .orElse(text);
    }

    static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int half = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }
}
