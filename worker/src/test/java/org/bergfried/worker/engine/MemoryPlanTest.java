package org.bergfried.worker.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.OptionalLong;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.Golden;
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

    private static long hotBytes(Model model) {
        return MemoryPlan.of(model, settings(0, 0), PLENTY).items().stream()
                .filter(item -> item.name().equals("hot experts"))
                .mapToLong(MemoryPlan.Item::bytes)
                .sum();
    }

    private static EngineSettings settings(int context, int cachePositions) {
        return new EngineSettings(
                "worker-1",
                1,
                "golden",
                "scalar",
                1,
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
                OptionalLong.empty());
    }
}
