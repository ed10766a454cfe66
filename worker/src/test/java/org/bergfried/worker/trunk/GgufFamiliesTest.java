package org.bergfried.worker.trunk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Optional;
import org.bergfried.worker.Golden;
import org.bergfried.worker.model.GgufTwin;
import org.bergfried.worker.model.GgufTwin.Experts;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.model.Models;
import org.bergfried.worker.weights.Digests;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Every family in GGUF: golden models packed anew give the logits and tokens of the golden model.
final class GgufFamiliesTest {
    /// As for the golden models themselves.
    private static final double RELATIVE_RMS_MAX = 1e-5;

    @TempDir
    Path directory;

    @ParameterizedTest
    @CsvSource({
        "llama, llama, MERGED",
        "mixtral, llama, MERGED",
        "mixtral, llama, SINGLE",
        "qwen2, qwen2, MERGED",
        "qwen2_moe, qwen2moe, MERGED",
        "qwen3, qwen3, MERGED",
        "qwen3_moe, qwen3moe, MERGED",
        "qwen3_moe, qwen3moe, SINGLE",
        "qwen3_moe, qwen3moe, FUSED",
        "qwen3_moe_f16, qwen3moe, MERGED",
        "deepseek_v2, deepseek2, MERGED",
        "deepseek_v2_lite_f32, deepseek2, SINGLE",
        "deepseek_v3, deepseek2, MERGED",
        "deepseek_v3_yarn, deepseek2, FUSED",
        "kimi_k2, deepseek2, MERGED",
        "glm4_moe_lite, deepseek2, MERGED",
        "olmoe, olmoe, MERGED",
        "granitemoe, granitemoe, MERGED",
        "gpt_oss, gpt-oss, MERGED",
        "glm4_moe, glm4moe, MERGED",
        "ernie4_5_moe, ernie4_5-moe, MERGED",
        "hunyuan_v1_moe, hunyuan-moe, MERGED",
        "minimax_m2, minimax-m2, MERGED",
        "dots1, dots1, MERGED",
        "exaone_moe, exaone-moe, MERGED"
    })
    void giveTheLogitsAndTokensOfTransformers(String name, String architecture, Experts experts) throws IOException {
        Path file = directory.resolve(name + ".gguf");
        GgufTwin.write(name, architecture, experts, file);
        Golden golden = Golden.read(name);
        try (TrunkRig rig = new TrunkRig(file, "auto")) {
            double error = golden.relativeRms(rig.logits(golden.ids(), golden.ids().length));
            assertTrue(error < RELATIVE_RMS_MAX, name + " as GGUF has a relative RMS error of " + error);
            assertArrayEquals(golden.greedy(), rig.greedy(golden.ids(), golden.greedy().length));
        }
        assertExpertsHaveDigests(file);
    }

    private static void assertExpertsHaveDigests(Path file) {
        try (Model model = Models.open(file)) {
            assertEquals(Digests.HEX_CHARS, model.digest().length());
            var digests = new HashSet<String>();
            for (int layer : model.spec().moeLayers()) {
                digests.add(model.expertDigest(layer, 0));
                digests.add(model.expertDigest(layer, 1));
                assertEquals(Optional.empty(), model.expertFault(layer, 1));
            }
            assertEquals(2 * model.spec().moeLayers().length, digests.size());
        }
    }

    /// gpt-oss as it is published in GGUF: MXFP4 of a GGUF meets quantised activations. Single tokens may choose other
    /// experts for it.
    @Test
    void gptOssInMxfp4StaysNearTheLogitsOfTransformersAtMostTokens() throws IOException {
        Path file = directory.resolve("gpt-oss.gguf");
        GgufTwin.write("gpt_oss_mxfp4", "gpt-oss", Experts.MERGED, file);
        Golden golden = Golden.read("gpt_oss_mxfp4");
        try (TrunkRig rig = new TrunkRig(file, "auto")) {
            float[][] logits = rig.logits(golden.ids(), golden.ids().length);
            double[] errors = Golden.relativeRmsOfTokens(golden.folder().resolve("logits.f32"), logits);
            double median = Arrays.stream(errors).sorted().toArray()[errors.length / 2];
            assertTrue(median > 1e-3 && median < 0.04, "the median error of a token is " + median);
        }
    }
}
