package org.bergfried.worker.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.junit.jupiter.api.Test;

class SamplerTest {
    private static final double[] TEMPERATURES = {0, 0.1, 0.7, 1, 1.3, 2};
    private static final double[] TOP_PS = {1, 0.9, 0.5, 1e-9, 0.999999};
    private static final int[] TOP_KS = {0, 1, 2, 17, 1000};
    private static final double[] MIN_PS = {0, 0.05, 0.5, 1};

    @Test
    void drawsWhatTheObviousTwinDraws() {
        var random = new Random(41);
        for (int size : new int[] {1, 2, 3, 31, 257, 1000}) {
            var sampler = new Sampler(size);
            for (int round = 0; round < 60; round++) {
                float[] logits = logits(random, size, round);
                Sampling sampling = sampling(random);
                for (long position = 0; position < 20; position++) {
                    int expected = twin(logits, sampling, position);
                    int drawn = sampler.draw(MemorySegment.ofArray(logits), 0, sampling, position);
                    assertEquals(expected, drawn, "size " + size + " round " + round + " " + sampling);
                }
            }
        }
    }

    @Test
    void readsTheRowThatItIsTold() {
        var sampler = new Sampler(3);
        MemorySegment rows = MemorySegment.ofArray(new float[] {9, 0, 0, 0, 0, 9});
        assertEquals(0, sampler.draw(rows, 0, Sampling.GREEDY, 0));
        assertEquals(2, sampler.draw(rows, 3, Sampling.GREEDY, 0));
    }

    @Test
    void greedyTakesTheLowerIdAtEqualLogits() {
        var sampler = new Sampler(4);
        assertEquals(1, sampler.draw(MemorySegment.ofArray(new float[] {1, 3, 3, 2}), 0, Sampling.GREEDY, 0));
        assertEquals(0, sampler.draw(MemorySegment.ofArray(new float[] {-0f, 0f, -1, -1}), 0, Sampling.GREEDY, 0));
    }

    @Test
    void topKOfOneAndTinyTopPAreGreedy() {
        var sampler = new Sampler(5);
        MemorySegment logits = MemorySegment.ofArray(new float[] {0.1f, 0.2f, 0.4f, 0.3f, 0.4f});
        for (long position = 0; position < 100; position++) {
            assertEquals(2, sampler.draw(logits, 0, new Sampling(2, 1, 1, 0, 5), position));
            assertEquals(2, sampler.draw(logits, 0, new Sampling(2, 1e-12, 0, 0, 5), position));
        }
    }

    @Test
    void neverDrawsWhatIsMasked() {
        var sampler = new Sampler(4);
        float masked = Float.NEGATIVE_INFINITY;
        MemorySegment logits = MemorySegment.ofArray(new float[] {masked, 0, masked, 0});
        var seen = new HashSet<Integer>();
        for (long position = 0; position < 200; position++) {
            seen.add(sampler.draw(logits, 0, new Sampling(1, 1, 3, 0, 77), position));
        }
        assertEquals(new HashSet<>(List.of(1, 3)), seen);
    }

    @Test
    void frequenciesFollowTheProbabilities() {
        var sampler = new Sampler(3);
        float[] logits = {(float) Math.log(0.5), (float) Math.log(0.3), (float) Math.log(0.2)};
        int[] counts = new int[3];
        for (long position = 0; position < 20_000; position++) {
            counts[sampler.draw(MemorySegment.ofArray(logits), 0, new Sampling(1, 1, 0, 0, 3), position)]++;
        }
        assertEquals(10_000, counts[0], 300);
        assertEquals(6_000, counts[1], 300);
    }

    @Test
    void theDrawIsSplitMix64AtThePosition() {
        for (long seed : new long[] {0, 1, -1, 0x123456789abcdefL}) {
            var published = new SplittableRandom(seed);
            for (long position = 0; position < 50; position++) {
                assertEquals((published.nextLong() >>> 11) * 0x1p-53, CounterRandom.unit(seed, position));
            }
        }
    }

    @Test
    void refusesNumbersOutOfRangeByName() {
        assertRefused("temperature = NaN must be from 0 to 2", Double.NaN, 1, 0, 0);
        assertRefused("temperature = Infinity must be from 0 to 2", Double.POSITIVE_INFINITY, 1, 0, 0);
        assertRefused("top_p = 0.0 must be above 0 and at most 1", 1, 0, 0, 0);
        assertRefused("top_p = NaN must be above 0 and at most 1", 1, Double.NaN, 0, 0);
        assertRefused("top_k = -1 must be 0 (all) or more", 1, 1, -1, 0);
        assertRefused("min_p = 1.5 must be from 0 to 1", 1, 1, 0, 1.5);
    }

    private static void assertRefused(String message, double temperature, double topP, int topK, double minP) {
        var refusal = assertThrows(ClusterException.class, () -> new Sampling(temperature, topP, topK, minP, 0));
        assertEquals(ErrorReason.INVALID_REQUEST, refusal.reason());
        assertEquals(message, refusal.text());
    }

    private static float[] logits(Random random, int size, int round) {
        float[] logits = new float[size];
        float spread = round % 3 == 0 ? 1 : 12;
        for (int i = 0; i < size; i++) {
            float value = (float) random.nextGaussian() * spread;
            logits[i] = round % 4 == 0 ? Math.round(value) : value; // every fourth round is full of ties
        }
        return logits;
    }

    private static Sampling sampling(Random random) {
        return new Sampling(
                TEMPERATURES[random.nextInt(TEMPERATURES.length)],
                TOP_PS[random.nextInt(TOP_PS.length)],
                TOP_KS[random.nextInt(TOP_KS.length)],
                MIN_PS[random.nextInt(MIN_PS.length)],
                random.nextLong());
    }

    /// The same rules written without any thought of speed: a full sort and lists.
    private static int twin(float[] logits, Sampling sampling, long position) {
        List<Integer> order = IntStream.range(0, logits.length)
                .boxed()
                .sorted((a, b) -> logits[a] == logits[b] ? a - b : logits[a] > logits[b] ? -1 : 1)
                .toList();
        if (sampling.temperature() == 0) {
            return order.getFirst();
        }
        int k = sampling.topK() == 0 ? logits.length : Math.min(logits.length, sampling.topK());
        var kept = new HashSet<>(order.subList(0, k));
        double[] p = new double[logits.length];
        double sum = 0;
        for (int id = 0; id < p.length; id++) {
            p[id] = kept.contains(id)
                    ? StrictMath.exp(((double) logits[id] - logits[order.getFirst()]) / sampling.temperature())
                    : 0;
            sum += p[id];
        }
        for (int id = 0; id < p.length; id++) {
            p[id] /= sum;
        }
        double floor = sampling.minP() * p[order.getFirst()];
        kept.removeIf(id -> p[id] < floor || p[id] == 0);
        double mass = 0;
        for (int id = 0; id < p.length; id++) {
            mass += kept.contains(id) ? p[id] : 0;
        }
        var sorted = new ArrayList<>(order.stream().filter(kept::contains).toList());
        if (sampling.topP() < 1) {
            int count = 0;
            double reached = 0;
            while (count < sorted.size() && reached < sampling.topP()) {
                reached += p[sorted.get(count++)];
            }
            sorted = new ArrayList<>(sorted.subList(0, count));
            mass = reached;
        }
        double target = (new SplittableRandom(sampling.seed() + position * 0x9E3779B97F4A7C15L).nextLong() >>> 11)
                * 0x1p-53
                * mass;
        double cumulative = 0;
        for (int id : sorted) {
            cumulative += p[id];
            if (cumulative > target) {
                return id;
            }
        }
        assertTrue(!sorted.isEmpty());
        return sorted.getLast();
    }
}
