package org.bergfried.worker.trunk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.bergfried.worker.Golden;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Every family against the float32 logits that Transformers computes from the same weights.
final class GoldenLogitsTest {
    /// A right forward pass is about 1e-6 off; 1e-5 is already a mistake.
    private static final double RELATIVE_RMS_MAX = 1e-5;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "llama",
                "qwen3",
                "qwen3_moe",
                "qwen3_moe_f16",
                "deepseek_v2_lite_f32",
                "deepseek_v2_lite",
                "deepseek_v2",
                "deepseek_v3",
                "deepseek_v3_yarn",
                "deepseek_v3_fp8",
                "kimi_k2",
                "qwen2",
                "qwen2_moe",
                "mixtral",
                "olmoe",
                "granitemoe",
                "hunyuan_v1_moe",
                "ernie4_5_moe",
                "glm4_moe",
                "dots1",
                "glm4_moe_lite",
                "minimax_m2",
                "exaone_moe",
                "gpt_oss",
                "gpt_oss_mxfp4"
            })
    void givesTheLogitsAndTokensOfTransformers(String name) {
        Golden golden = Golden.read(name);
        try (TrunkRig rig = TrunkRig.golden(name, "auto")) {
            double error = golden.relativeRms(rig.logits(golden.ids(), golden.ids().length));
            assertTrue(error < RELATIVE_RMS_MAX, name + " has a relative RMS error of " + error);
            assertArrayEquals(golden.greedy(), rig.greedy(golden.ids(), golden.greedy().length));
        }
    }
}
