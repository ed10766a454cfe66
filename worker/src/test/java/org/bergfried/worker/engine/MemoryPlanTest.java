package org.bergfried.worker.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.OptionalLong;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.Golden;
import org.bergfried.worker.kernel.choice.BackendChoice;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.model.Models;
import org.junit.jupiter.api.Test;

class MemoryPlanTest {
    private static final MemoryLimit PLENTY = new MemoryLimit(4L << 30, 256L << 20);

    @Test
    void theDefaultCacheHoldsEightSequencesOfTheContext() {
        try (Model model = Models.open(Golden.path("deepseek_v3"))) {
            MemoryPlan plan = MemoryPlan.of(model, settings(0, 0), PLENTY);
            assertEquals(8 * 512 / 32, plan.cachePages());
            assertEquals(512, plan.context());
        }
    }

    @Test
    void theContextIsNoLongerThanTheCache() {
        try (Model model = Models.open(Golden.path("deepseek_v3"))) {
            assertEquals(96, MemoryPlan.of(model, settings(0, 96), PLENTY).context());
            assertEquals(200, MemoryPlan.of(model, settings(200, 0), PLENTY).context());
        }
    }

    @Test
    void tooLittleMemoryIsRefusedWithTheNumbers() {
        try (Model model = Models.open(Golden.path("tiny-dsv2-Q8_0.gguf"))) {
            var refusal = assertThrows(
                    ClusterException.class,
                    () -> MemoryPlan.of(model, settings(0, 1 << 20), new MemoryLimit(64L << 20, 32L << 20)));
            assertEquals(ErrorReason.TOO_LARGE, refusal.reason());
            assertTrue(refusal.text().contains("KV cache"), refusal.text());
            assertTrue(refusal.text().contains("of 64.0 MiB"), refusal.text());
        }
    }

    @Test
    void integerCodedExpertsCountAndMappedOnesDoNot() {
        try (Model coded = Models.open(Golden.path("tiny-dsv2-Q8_0.gguf"));
                Model mapped = Models.open(Golden.path("deepseek_v3"))) {
            assertTrue(hotBytes(coded) > 0);
            assertEquals(0, hotBytes(mapped));
        }
    }

    @Test
    void theRowsOfAllPeersAreCounted() {
        try (Model model = Models.open(Golden.path("deepseek_v3"))) {
            MemoryPlan one = MemoryPlan.of(model, settings(0, 0, 1), PLENTY);
            MemoryPlan nine = MemoryPlan.of(model, settings(0, 0, 9), PLENTY);
            assertEquals(256, nine.host().streamRowsMax());
            assertEquals(18, nine.host().streamsMax());
            assertEquals(9 * bytes(one, "rows from peers"), bytes(nine, "rows from peers"));
            assertEquals(9 * bytes(one, "results from peers"), bytes(nine, "results from peers"));
            assertEquals(bytes(one, "own rows"), bytes(nine, "own rows"));
            long least = 2L * 256 * (4 + 8) * model.spec().hiddenSize(); // payload of both classes, there and back
            assertTrue(bytes(one, "rows from peers") + bytes(one, "results from peers") > least);
            assertTrue(bytes(one, "own rows") > least);
        }
    }

    @Test
    void thePeersOfASmallWorkerHaveLessCreditAndTakeAnEighthOfItsMemory() {
        var small = new MemoryLimit(128L << 20, 32L << 20);
        try (Model model = Models.open(Golden.path("deepseek_v3"))) {
            MemoryPlan plan = MemoryPlan.of(model, settings(0, 128), small);
            assertTrue(plan.host().streamRowsMax() < 256, plan.describe());
            long rows = bytes(plan, "rows from peers") + bytes(plan, "results from peers") + bytes(plan, "own rows");
            assertTrue(rows <= small.bytes() / 8, plan.describe());
        }
    }

    private static long hotBytes(Model model) {
        return bytes(MemoryPlan.of(model, settings(0, 0), PLENTY), "hot experts");
    }

    private static long bytes(MemoryPlan plan, String name) {
        return plan.items().stream()
                .filter(item -> item.name().equals(name))
                .mapToLong(MemoryPlan.Item::bytes)
                .sum();
    }

    private static EngineSettings settings(int context, int cachePositions) {
        return settings(context, cachePositions, 64);
    }

    private static EngineSettings settings(int context, int cachePositions, int peersMax) {
        return new EngineSettings(
                "worker-1",
                1,
                "golden",
                BackendChoice.of("scalar", 1),
                true,
                true,
                context,
                OptionalLong.empty(),
                cachePositions,
                64,
                16,
                32,
                16,
                32,
                Duration.ofSeconds(60),
                OptionalLong.empty(),
                OptionalLong.empty(),
                peersMax);
    }
}
