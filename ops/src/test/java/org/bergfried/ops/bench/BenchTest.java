package org.bergfried.ops.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.bergfried.contract.SystemClock;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

final class BenchTest {
    private final List<String> calls = new ArrayList<>();

    @Test
    void alternatesAndTakesTheMedianOfRatios() {
        var engine = new Fake("engine", 100, 30, 20, 10);
        var peer = new Fake("peer", 100, 10, 10, 10);
        var figures = new ArrayList<Bench.Figure>();
        new Bench(engine, Optional.of(peer), 3, Duration.ZERO, new SystemClock(), line -> {})
                .run(new Bench.Wishes(List.of(32), List.of()), figures::add);
        var expected = new Bench.Figure(Bench.Kind.PREFILL, 32, 20, 10, 30, Optional.of(10.0), Optional.of(2.0));
        assertEquals(List.of(expected), figures);
        assertEquals(
                List.of("engine", "peer", "engine", "peer", "peer", "engine", "engine", "peer"),
                calls,
                "a warm-up of each, then turns about");
    }

    @Test
    void asksForWhatTheWishesNeed() {
        var wishes = new Bench.Wishes(List.of(32, 512), List.of(1, 16));
        assertEquals(513, wishes.positions());
        assertEquals(16, wishes.streamsMax());
    }

    @Test
    void tellsOfARealModel() {
        var result = new Benchmark(new SystemClock(), line -> {}).run(demo("auto", new Rival.Nobody()));
        String table = String.join("\n", result.table());
        assertTrue(table.contains("prefill 8") && table.contains("decode 1") && table.contains("decode 2"), table);
        assertTrue(table.contains("of reading") && table.contains("of integers"), table);
        var json = JsonMapper.shared().readTree(result.json());
        assertTrue(json.path("complete").asBoolean());
        assertEquals(1, json.path("seeds").path("prompts").asInt());
        assertTrue(json.path("figures").path(0).path("shareOfLimit").asDouble() > 0, result.json());
    }

    @Test
    void comparesTwoBackends() {
        var result = new Benchmark(new SystemClock(), line -> {}).run(demo("vector", new Rival.Backend("scalar")));
        var prefill =
                JsonMapper.shared().readTree(result.json()).path("figures").path(0);
        assertTrue(prefill.path("ratio").asDouble() > 0, result.json()); // how much faster is not a test's business
    }

    @Test
    void keepsWhatIsKnownWhenItIsEnded() {
        var interrupted = new Interrupted();
        var benchmark = new Benchmark(new SystemClock(), interrupted);
        interrupted.running = benchmark;
        assertTrue(benchmark.partial().isEmpty());
        benchmark.run(demo("auto", new Rival.Nobody()));
        String table = String.join("\n", interrupted.partial.orElseThrow().table());
        assertTrue(table.contains("prefill 8") && !table.contains("decode 1"), table);
        assertTrue(table.contains("Incomplete"), table);
    }

    /// Asks for what is known when the second figure is told.
    private static final class Interrupted implements Consumer<String> {
        private @Nullable Benchmark running;
        private Optional<Benchmark.Result> partial = Optional.empty();

        @Override
        public void accept(String line) {
            if (running != null && line.startsWith("decode 1")) {
                partial = running.partial();
            }
        }
    }

    @Test
    void countsTheTokensOfAllStreamsWhileAllDecode() {
        var first = List.of(at(0, 0), at(1, 1), at(2, 2), at(3, 3), at(9, 9));
        var second = List.of(at(1, 0), at(2, 1), at(3, 3)); // position 2 yielded no text of its own
        assertEquals(5 / 2e-9, ClusterSubject.rate(List.of(first, second)), 1);
    }

    private static ClusterSubject.Arrival at(long nanos, int position) {
        return new ClusterSubject.Arrival(nanos, position);
    }

    private static Benchmark.Order demo(String backend, Rival rival) {
        Path model = Path.of("demo-model", "demo-Q4_0.gguf");
        Clusters none = form -> {
            throw new AssertionError("no cluster is wanted");
        };
        return new Benchmark.Order(
                model, backend, 1, List.of(8), List.of(1, 2), 1, Duration.ZERO, 0, false, none, rival);
    }

    /// Answers with given figures, the first of them as warm-up.
    private final class Fake implements Subject {
        private final String name;
        private final double[] rates;
        private int next;

        Fake(String name, double... rates) {
            this.name = name;
            this.rates = rates;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public String description() {
            return name;
        }

        @Override
        public double loadSeconds() {
            return 1;
        }

        @Override
        public long residentBytes() {
            return 1;
        }

        @Override
        public double prefillRate(int tokens) {
            calls.add(name);
            return rates[next++];
        }

        @Override
        public double decodeRate(int streams, int tokens) {
            throw new AssertionError("nobody asked for streams");
        }

        @Override
        public void close() {}
    }
}
