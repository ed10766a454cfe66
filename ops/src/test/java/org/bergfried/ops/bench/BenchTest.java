package org.bergfried.ops.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bergfried.contract.SystemClock;
import org.junit.jupiter.api.Test;

final class BenchTest {
    private final List<String> calls = new ArrayList<>();

    @Test
    void alternatesAndTakesTheMedianOfRatios() {
        var engine = new Fake("engine", 100, 30, 20, 10);
        var peer = new Fake("peer", 100, 10, 10, 10);
        var figures = new Bench(engine, Optional.of(peer), 3, line -> {}).run(new Bench.Wishes(List.of(32), List.of()));
        assertEquals(List.of(new Bench.Figure("prefill 32", 20, 10, 30, Optional.of(10.0), Optional.of(2.0))), figures);
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
        Path model = Path.of("demo-model", "demo-Q4_0.gguf");
        var result = new Benchmark(new SystemClock(), line -> {})
                .run(new Benchmark.Order(model, "auto", 1, List.of(8), List.of(1, 2), 1, null));
        String table = String.join("\n", result.table());
        assertTrue(table.contains("prefill 8") && table.contains("decode 1") && table.contains("decode 2"), table);
        assertTrue(result.json().contains("\"shareOfReadBandwidth\""), result.json());
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
