package org.bergfried.ops.bench;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;
import org.bergfried.contract.Clock;

/// Times one subject, or two in alternation within one run: whatever else the machine does meets both.
final class Bench {
    /// What random prompts and draws begin with.
    static final long PROMPT_SEED = 1;

    private static final int DECODE_TOKENS = 48;

    private final Subject engine;
    private final Optional<Subject> peer;
    private final int repetitions;
    private final Duration warm;
    private final Clock clock;
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

    /// What a figure is about.
    enum Kind {
        /// A prompt is read; the count is its tokens.
        PREFILL,
        /// Streams go on; the count is how many.
        DECODE
    }

    /// A figure.
    ///
    /// @param count  tokens or streams.
    /// @param rate   tokens per second of the engine, the median.
    /// @param low    the least of the repetitions.
    /// @param high   the most.
    /// @param peer   the peer's median.
    /// @param ratio  the median of the ratios of each repetition, engine over peer.
    record Figure(
            Kind kind, int count, double rate, double low, double high, Optional<Double> peer, Optional<Double> ratio) {
        /// For people and programs.
        String name() {
            return kind.name().toLowerCase(Locale.ROOT) + " " + count;
        }
    }

    Bench(
            Subject engine,
            Optional<Subject> peer,
            int repetitions,
            Duration warm,
            Clock clock,
            Consumer<String> progress) {
        this.engine = engine;
        this.peer = peer;
        this.repetitions = repetitions;
        this.warm = warm;
        this.clock = clock;
        this.progress = progress;
    }

    /// Measures figure after figure.
    ///
    /// @param each gets a figure as soon as it is known.
    void run(Wishes wishes, Consumer<Figure> each) {
        for (int tokens : wishes.prompts()) {
            each.accept(figure(Kind.PREFILL, tokens, subject -> subject.prefillRate(tokens)));
        }
        for (int streams : wishes.streams()) {
            each.accept(figure(Kind.DECODE, streams, subject -> subject.decodeRate(streams, DECODE_TOKENS)));
        }
    }

    private Figure figure(Kind kind, int count, ToDoubleFunction<Subject> measure) {
        double[] own = new double[repetitions];
        double[] others = new double[repetitions];
        warm(engine, measure);
        peer.ifPresent(subject -> warm(subject, measure));
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
        Figure figure = figure(kind, count, own, others);
        progress.accept(line(figure));
        return figure;
    }

    /// Until the JVM has compiled what is hot.
    private void warm(Subject subject, ToDoubleFunction<Subject> measure) {
        long begin = clock.nanoTime();
        do {
            double _ = measure.applyAsDouble(subject);
        } while (clock.nanoTime() - begin < warm.toNanos());
    }

    private Figure figure(Kind kind, int count, double[] own, double[] others) {
        double[] ratios = new double[repetitions];
        for (int i = 0; i < repetitions; i++) {
            ratios[i] = own[i] / others[i];
        }
        return new Figure(
                kind,
                count,
                median(own),
                Arrays.stream(own).min().orElseThrow(),
                Arrays.stream(own).max().orElseThrow(),
                peer.map(present -> median(others)),
                peer.map(present -> median(ratios)));
    }

    private String line(Figure figure) {
        String text = String.format(Locale.ROOT, "%-12s %9.1f tokens/s", figure.name(), figure.rate());
        return figure.ratio()
                .map(ratio -> text
                        + String.format(
                                Locale.ROOT,
                                "  %.2f x %s",
                                ratio,
                                peer.map(Subject::name).orElse("")))
                .orElse(text);
    }

    static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int half = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }
}
