package org.bergfried.worker.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.bergfried.worker.Golden;
import org.bergfried.worker.kernel.GateShape;
import org.bergfried.worker.tensor.ElementType;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class GgufModelsTest {
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

    private static Path vectors() {
        String folder = System.getProperty("bergfried.vectors", "");
        Assumptions.assumeTrue(
                !folder.isEmpty() && Files.isDirectory(Path.of(folder)),
                "skipped: the folder of test vectors is not given (-Dbergfried.vectors=DIR)");
        assertTrue(Files.isDirectory(Path.of(folder).resolve("models")), "the folder holds models");
        return Path.of(folder);
    }
}
