package org.bergfried.worker.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Objects;
import org.bergfried.worker.Golden;
import org.bergfried.worker.kernel.GateShape;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.StoredTensor;
import org.bergfried.worker.weights.safetensors.SafetensorsFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelsTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "deepseek_v2",
                "deepseek_v2_lite",
                "deepseek_v2_lite_f32",
                "deepseek_v3",
                "deepseek_v3_yarn",
                "kimi_k2",
                "qwen3_moe",
                "qwen3_moe_f16",
                "llama",
                "qwen3"
            })
    void opensEveryGoldenModelWithAllItsTensors(String name) {
        try (Model model = Models.open(Golden.path(name))) {
            ModelSpec spec = model.spec();
            assertEquals(3, spec.layers().size());
            assertEquals(64, spec.hiddenSize());
            assertEquals(512, spec.vocabularySize());
            assertEquals(512, spec.contextLength());
            assertEquals(1e-6f, spec.normEpsilon());
            assertArrayEquals(new int[] {2}, model.stopIds());
            for (int layer : spec.moeLayers()) {
                var moe = assertInstanceOf(
                        FeedForwardSpec.Moe.class, spec.layers().get(layer));
                for (int expert = 0; expert < moe.gate().experts(); expert++) {
                    assertEquals(
                            List.of(64, 32),
                            model.expert(layer, expert).downProj().shape());
                }
            }
        }
    }

    @Test
    void readsTheFactsOfDeepSeekV3() {
        try (Model model = Models.open(Golden.path("deepseek_v3"))) {
            ModelSpec spec = model.spec();
            assertEquals(
                    new AttentionSpec.Latent(4, 48, 32, 32, 16, 32, (float) (1 / Math.sqrt(48))), spec.attention());
            assertEquals(new RopeSpec(16, 10000, true, new RopeSpec.Scaling.None()), spec.rope());
            assertEquals(new FeedForwardSpec.Dense(96), spec.layers().get(0));
            assertEquals(
                    new FeedForwardSpec.Moe(
                            new GateShape(
                                    GateShape.Scoring.SIGMOID,
                                    8,
                                    2,
                                    4,
                                    2,
                                    GateShape.GroupScore.BEST_TWO,
                                    true,
                                    1e-20f,
                                    2.5f),
                            32,
                            32),
                    spec.layers().get(1));
        }
    }

    @Test
    void readsTheFactsOfDeepSeekV2() {
        try (Model model = Models.open(Golden.path("deepseek_v2"))) {
            var moe = assertInstanceOf(
                    FeedForwardSpec.Moe.class, model.spec().layers().get(2));
            assertEquals(
                    new GateShape(GateShape.Scoring.SOFTMAX, 8, 3, 4, 2, GateShape.GroupScore.MAXIMUM, false, 0f, 16f),
                    moe.gate());
            assertEquals(64, moe.sharedColumns());
        }
        try (Model lite = Models.open(Golden.path("deepseek_v2_lite_f32"))) {
            var attention = assertInstanceOf(
                    TrunkTensors.Latent.class, lite.trunk().layers().get(0).attention());
            assertNull(attention.queryDown());
            assertEquals(List.of(192, 64), attention.queryUp().shape());
            assertEquals(ElementType.F32, attention.queryUp().type());
        }
    }

    @Test
    void readsYarnWithItsAttentionScale() {
        try (Model model = Models.open(Golden.path("deepseek_v3_yarn"))) {
            assertEquals(
                    new RopeSpec.Scaling.Yarn(8, 32, 1, 64, 1, true),
                    model.spec().rope().scaling());
            double m = 0.1 * 1.0 * StrictMath.log(8) + 1;
            assertEquals(
                    (float) (m * m / Math.sqrt(48)), model.spec().attention().scale());
        }
    }

    @Test
    void readsTheFactsOfLlamaAndQwen() {
        try (Model llama = Models.open(Golden.path("llama"))) {
            assertEquals(
                    new AttentionSpec.Grouped(4, 2, 16, 0.25f), llama.spec().attention());
            assertEquals(
                    new RopeSpec(16, 500000, false, new RopeSpec.Scaling.Llama3(8, 1, 4, 64)),
                    llama.spec().rope());
            assertEquals(0, llama.spec().moeLayers().length);
        }
        try (Model qwen = Models.open(Golden.path("qwen3"))) {
            assertTrue(qwen.spec().tiedHead());
            assertSame(qwen.trunk().embedding(), qwen.trunk().head());
            var attention = assertInstanceOf(
                    TrunkTensors.Grouped.class, qwen.trunk().layers().get(0).attention());
            assertNotNull(attention.queryNorm());
        }
        try (Model qwenMoe = Models.open(Golden.path("qwen3_moe"))) {
            var moe = assertInstanceOf(
                    FeedForwardSpec.Moe.class, qwenMoe.spec().layers().get(0));
            assertTrue(moe.gate().normalise());
            assertEquals(0, moe.sharedColumns());
        }
    }

    @Test
    void splitsKvBPerHeadAndTransposesItsKeyHalf() {
        try (Model model = Models.open(Golden.path("deepseek_v2_lite_f32"))) {
            var attention = assertInstanceOf(
                    TrunkTensors.Latent.class, model.trunk().layers().get(1).attention());
            assertEquals(4, attention.keyUp().size());
            StoredTensor key = attention.keyUp().get(3);
            StoredTensor value = attention.valueUp().get(2);
            assertEquals(List.of(32, 32), key.shape());
            assertEquals(List.of(32, 32), value.shape());
            // Row-major [4 * (32 + 32), 32] in the file: head 3 begins at row 192, the value half of head 2 at 160.
            StoredTensor joined = joined("model.layers.1.self_attn.kv_b_proj.weight");
            for (int row = 0; row < 32; row++) {
                for (int column = 0; column < 32; column++) {
                    assertEquals(at(joined, 192 + row, column), at(key, column, row));
                    assertEquals(at(joined, 160 + row, column), at(value, row, column));
                }
            }
        }
    }

    private static StoredTensor joined(String name) {
        try (var file = SafetensorsFile.open(Golden.path("deepseek_v2_lite_f32").resolve("model.safetensors"))) {
            StoredTensor mapped =
                    Objects.requireNonNull(file.entries().get(name)).stored();
            var copy = MemorySegment.ofArray(mapped.bytes().toArray(ValueLayout.JAVA_BYTE));
            return new StoredTensor(name, mapped.type(), mapped.shape(), copy);
        }
    }

    private static float at(StoredTensor tensor, int row, int column) {
        long index = (long) row * tensor.columns() + column;
        return tensor.bytes().get(ValueLayout.JAVA_FLOAT_UNALIGNED, index * Float.BYTES);
    }
}
