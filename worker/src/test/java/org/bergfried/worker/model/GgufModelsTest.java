package org.bergfried.worker.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.bergfried.worker.Golden;
import org.bergfried.worker.kernel.GateShape;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.weights.GgufBytes;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufModelsTest {
    @TempDir
    Path directory;

    @Test
    void readsTheFactsOfDeepSeekV2WithYarn() {
        try (Model model = Models.open(Golden.path("tiny-dsv2-Q4_0.gguf"))) {
            ModelSpec spec = model.spec();
            assertEquals("deepseek2", spec.family());
            assertEquals(2048, spec.vocabularySize());
            double m = (double) 0.0707f * StrictMath.log(40) + 1;
            assertEquals(
                    new AttentionSpec.Latent(4, 0, 256, 64, 32, 64, (float) (m * m / Math.sqrt(96))), spec.attention());
            assertEquals(
                    new RopeSpec(32, 10000, true, new RopeSpec.Scaling.Yarn(40, 32, 1, 1024, 1, true)), spec.rope());
            assertEquals(
                    List.of(
                            new FeedForwardSpec.Dense(512),
                            new FeedForwardSpec.Moe(gate(), 256, 512),
                            new FeedForwardSpec.Moe(gate(), 256, 512)),
                    spec.layers());
            assertArrayEquals(new int[] {2047}, model.stopIds());
        }
    }

    private static GateShape gate() {
        return new GateShape(GateShape.Scoring.SOFTMAX, 8, 3, 1, 1, GateShape.GroupScore.MAXIMUM, false, 0f, 1f);
    }

    @Test
    void slicesMergedExpertsAndHeads() {
        try (Model model = Models.open(Golden.path("tiny-dsv2-Q8_0.gguf"))) {
            TrunkTensors.SwiGlu last = model.expert(2, 7);
            assertEquals("blk.2.ffn_down_exps.weight#7", last.downProj().name());
            assertEquals(List.of(256, 256), last.downProj().shape());
            assertEquals(ElementType.Q8_0, last.downProj().type());
            assertEquals(256 * 256 / 32 * 34, last.downProj().bytes().byteSize());
            // The file's experts follow each other without a gap.
            assertEquals(
                    last.downProj().bytes().address(),
                    model.expert(2, 6).downProj().bytes().address() + 256 * 256 / 32 * 34);
            var attention = assertInstanceOf(
                    TrunkTensors.Latent.class, model.trunk().layers().get(1).attention());
            assertNull(attention.queryDown());
            assertEquals(List.of(256, 64), attention.keyUp().get(3).shape());
            assertEquals(List.of(64, 256), attention.valueUp().get(3).shape());
        }
    }

    @Test
    void opensTheStoriesModelsAsLlama() {
        Path folder = vectors().resolve("models");
        try (Model dense = Models.open(folder.resolve("stories260K-f32-v3.gguf"));
                Model experts = Models.open(folder.resolve("stories260K-moe8x-top2.gguf"))) {
            assertEquals(
                    new RopeSpec(8, 10000, true, new RopeSpec.Scaling.None()),
                    dense.spec().rope());
            assertEquals(dense.spec().attention(), experts.spec().attention());
            var moe = assertInstanceOf(
                    FeedForwardSpec.Moe.class, experts.spec().layers().get(4));
            assertEquals(
                    new GateShape(GateShape.Scoring.SOFTMAX, 8, 2, 1, 1, GateShape.GroupScore.MAXIMUM, true, 0f, 1f),
                    moe.gate());
            assertEquals(172, moe.expertColumns());
            assertEquals("<s>", dense.tokenVariables().get("bos_token"));
            assertArrayEquals(new int[] {2}, dense.stopIds());
        }
    }

    @Test
    void takesDivisorsOfRopeAndATiedHeadFromTheTensors() throws IOException {
        int floats = 64 * 64 * Float.BYTES;
        GgufBytes gguf = llama().tensor("rope_freqs.weight", 0, 0, 4)
                .dataStart(GgufBytes.ints(
                        Float.floatToIntBits(1),
                        Float.floatToIntBits(2),
                        Float.floatToIntBits(4),
                        Float.floatToIntBits(8)))
                .tensor("output_norm.weight", 0, 32, 64)
                .tensor("blk.0.attn_norm.weight", 0, 288, 64)
                .tensor("blk.0.ffn_norm.weight", 0, 544, 64)
                .tensor("blk.0.attn_q.bias", 0, 800, 64);
        List<String> matrices = List.of(
                "token_embd",
                "blk.0.attn_q",
                "blk.0.attn_k",
                "blk.0.attn_v",
                "blk.0.attn_output",
                "blk.0.ffn_gate",
                "blk.0.ffn_up",
                "blk.0.ffn_down");
        for (int i = 0; i < matrices.size(); i++) {
            gguf.tensor(matrices.get(i) + ".weight", 0, 1056 + (long) i * floats, 64, 64);
        }
        Path file = directory.resolve("llama.gguf");
        Files.write(file, gguf.data(1056 + matrices.size() * floats).bytes());
        try (Model model = Models.open(file)) {
            assertEquals(
                    new RopeSpec(8, 10000, true, new RopeSpec.Scaling.Divided(List.of(1f, 2f, 4f, 8f))),
                    model.spec().rope());
            assertTrue(model.spec().tiedHead());
            var attention = assertInstanceOf(
                    TrunkTensors.Grouped.class, model.trunk().layers().get(0).attention());
            assertNotNull(attention.queryBias(), "a GGUF has the biases that it has");
            assertNull(attention.keyBias());
        }
    }

    private static GgufBytes llama() {
        return new GgufBytes()
                .text("general.architecture", "llama")
                .uint32("llama.context_length", 32)
                .uint32("llama.embedding_length", 64)
                .uint32("llama.block_count", 1)
                .uint32("llama.feed_forward_length", 64)
                .uint32("llama.attention.head_count", 8)
                .float32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
    }

    private static Path vectors() {
        String folder = System.getProperty("bergfried.vectors", "");
        Assumptions.assumeTrue(
                !folder.isEmpty() && Files.isDirectory(Path.of(folder)),
                "skipped: the folder of test vectors is not given (-Dbergfried.vectors=DIR)");
        assertTrue(Files.isDirectory(Path.of(folder).resolve("models")), "the folder holds models");
        return Path.of(folder);
    }
}
