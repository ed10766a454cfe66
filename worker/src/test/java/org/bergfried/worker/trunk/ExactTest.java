package org.bergfried.worker.trunk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bergfried.worker.Golden;
import org.bergfried.worker.kvcache.SequenceMemory;
import org.bergfried.worker.trunk.Step.Logits;
import org.bergfried.worker.trunk.Step.Slice;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The same bits whatever stands beside a row in its step, however its sequence is cut into chunks and wherever its
/// pages lie.
final class ExactTest {
    private static final int LENGTH = 100;

    @ParameterizedTest
    @ValueSource(strings = {"llama", "qwen3_moe", "deepseek_v2_lite_f32", "deepseek_v3", "exaone_moe", "gpt_oss"})
    void chunksChangeNothing(String name) {
        try (Bench bench = new Bench(name, "auto")) {
            float[][] expected = bench.rig.logits(bench.ids(0), 1);
            for (int chunk : new int[] {7, 32, 64, 96}) {
                assertSameBits(expected, bench.rig.logits(bench.ids(0), chunk));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "qwen3_moe", "deepseek_v3", "gpt_oss"})
    void theScalarBackendGivesTheSameBits(String name) {
        try (Bench fast = new Bench(name, "auto");
                Bench plain = new Bench(name, "scalar")) {
            assertSameBits(plain.rig.logits(plain.ids(0), 64), fast.rig.logits(fast.ids(0), 64));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "qwen3_moe", "deepseek_v2_lite_f32", "deepseek_v3", "exaone_moe", "gpt_oss"})
    void neighboursAndScatteredPagesChangeNothing(String name) {
        try (Bench bench = new Bench(name, "auto")) {
            int sequences = 5;
            List<float[][]> expected = new ArrayList<>();
            for (int i = 0; i < sequences; i++) {
                expected.add(bench.rig.logits(bench.ids(i), 64));
            }
            bench.scatterFreePages();
            List<float[][]> together = bench.logitsTogether(sequences);
            for (int i = 0; i < sequences; i++) {
                assertSameBits(expected.get(i), together.get(i));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "deepseek_v3"})
    void valuesOfAPagesFormerOwnerReachNobody(String name) {
        try (Bench bench = new Bench(name, "auto")) {
            float[][] expected = bench.rig.logits(bench.ids(0), 64);
            bench.fillCache(Float.NaN);
            assertSameBits(expected, bench.rig.logits(bench.ids(0), 64));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "deepseek_v3"})
    void aNonFiniteSequenceIsFlaggedAndDisturbsNobody(String name) {
        try (Bench bench = new Bench(name, "auto")) {
            float[][] expected = bench.rig.logits(bench.ids(1), 64);
            TrunkRig rig = bench.rig;
            SequenceMemory bad = rig.memory(LENGTH);
            SequenceMemory good = rig.memory(LENGTH);
            rig.step(new Slice(bad, bench.ids(0), 0, 40, Logits.NONE));
            bench.fillCache(Float.NaN);
            StepRunner.Outcome both = rig.step(
                    new Slice(bad, bench.ids(0), 40, 10, Logits.LAST),
                    new Slice(good, bench.ids(1), 0, 60, Logits.LAST));
            assertArrayEquals(new boolean[] {true, false}, both.nonFinite());
            assertSameBits(new float[][] {expected[59]}, new float[][] {rig.row(both, 1)});
            StepRunner.Outcome later = rig.step(new Slice(good, bench.ids(1), 60, 40, Logits.LAST));
            assertFalse(later.nonFinite()[0]);
            assertSameBits(new float[][] {expected[99]}, new float[][] {rig.row(later, 0)});
        }
    }

    /// Bit for bit, unlike `assertArrayEquals` on floats.
    static void assertSameBits(float[][] expected, float[][] actual) {
        assertEquals(expected.length, actual.length);
        for (int i = 0; i < expected.length; i++) {
            int row = i;
            assertArrayEquals(bits(expected[i]), bits(actual[i]), () -> "row " + row);
        }
    }

    private static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        Arrays.setAll(bits, i -> Float.floatToRawIntBits(values[i]));
        return bits;
    }

    /// A model on a backend.
    private static final class Bench implements AutoCloseable {
        private final int[] goldenIds;
        private final TrunkRig rig;

        Bench(String name, String backendName) {
            goldenIds = Golden.read(name).ids();
            rig = TrunkRig.golden(name, backendName);
        }

        /// Tokens of sequence `i`, different for each.
        int[] ids(int i) {
            int[] ids = new int[LENGTH];
            Arrays.setAll(ids, k -> goldenIds[(k * (i + 1) + 3 * i) % goldenIds.length]);
            return ids;
        }

        /// Takes every page and gives them back in another order, so that the next sequences get scattered ones.
        void scatterFreePages() {
            List<SequenceMemory> memories = new ArrayList<>();
            for (int i = rig.cache.freePages(); i > 0; i--) {
                memories.add(rig.memory(1));
            }
            for (int i = 0; i < memories.size(); i++) {
                memories.get(i * 7 % memories.size()).close();
            }
            assertEquals(rig.cache.pages(), rig.cache.freePages());
        }

        void fillCache(float value) {
            try (Arena arena = Arena.ofConfined()) {
                float[] values = new float[(int) (rig.cache.bytes() / Float.BYTES)];
                Arrays.fill(values, value);
                MemorySegment source = arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
                rig.backend.write(source, rig.cache.buffer(), 0);
            }
        }

        /// Runs several sequences in the same steps: some still in prefill, in chunks of different sizes, others
        /// already decoding.
        List<float[][]> logitsTogether(int sequences) {
            List<float[][]> results = new ArrayList<>();
            List<SequenceMemory> memories = new ArrayList<>();
            int[] done = new int[sequences];
            for (int i = 0; i < sequences; i++) {
                results.add(new float[LENGTH][]);
                memories.add(rig.cache.open());
            }
            while (Arrays.stream(done).anyMatch(length -> length < LENGTH)) {
                List<Slice> slices = new ArrayList<>();
                List<Integer> owners = new ArrayList<>();
                for (int i = 0; i < sequences; i++) {
                    int count = Math.min(i % 2 == 0 ? 1 + 5 * i : 1 + i, LENGTH - done[i]);
                    if (count > 0) {
                        assertTrue(memories.get(i).reserve(done[i] + count));
                        slices.add(new Slice(memories.get(i), ids(i), done[i], count, Logits.ALL));
                        owners.add(i);
                    }
                }
                StepRunner.Outcome outcome = rig.step(slices.toArray(Slice[]::new));
                int row = 0;
                for (int k = 0; k < slices.size(); k++) {
                    int owner = owners.get(k);
                    for (int j = 0; j < slices.get(k).count(); j++) {
                        results.get(owner)[done[owner]++] = rig.row(outcome, row++);
                    }
                }
            }
            memories.forEach(SequenceMemory::close);
            return results;
        }

        @Override
        public void close() {
            rig.close();
        }
    }
}
