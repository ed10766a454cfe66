package org.bergfried.worker.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.bergfried.worker.Golden;
import org.bergfried.worker.tensor.ElementType;
import org.junit.jupiter.api.Test;

class ModelDescriptionTest {
    @Test
    void countsWeightsBytesAndCache() {
        try (Model model = Models.open(Golden.path("qwen3_moe"))) {
            ModelDescription description = ModelDescription.of(model);
            long expert = 3 * 32 * 64;
            long attention = 64 + 128 * 64 + 64 * 64 + 64 * 64 + 32 + 32 + 64 * 128 + 64;
            long layer = attention + 8 * 64;
            long trunk = 2L * 512 * 64 + 64 + 3 * layer;
            assertEquals(24, description.expertCount());
            assertEquals(2 * expert, description.expertBytes());
            assertEquals(2 * trunk, description.trunkBytes());
            assertEquals(trunk + 24 * expert, description.parameters());
            assertEquals(trunk - 511 * 64 + 3 * 2 * expert, description.activeParameters());
            assertEquals(3 * 2 * 2 * 32 * 4, description.cacheBytesPerToken());
            assertEquals(List.of(2), description.stopIds());
        }
    }

    @Test
    void saysHowTensorsAreCoded() {
        try (Model model = Models.open(Golden.path("tiny-dsv2-Q4_0.gguf"))) {
            List<ElementType> types = ModelDescription.of(model).types().stream()
                    .map(ModelDescription.TypeShare::type)
                    .toList();
            assertEquals(List.of(ElementType.Q4_0, ElementType.Q6_K, ElementType.F32), types);
        }
    }
}
