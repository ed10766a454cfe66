package org.bergfried.worker.trunk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/// The bundled demo model in each of its forms: the answer that its training gave and the bits of ARITHMETIC.md.
final class DemoModelTest {
    private static final Path FOLDER = Path.of("../ops/demo-model");

    /// @param form a file beside the safetensors, or the folder itself for those; also the key in `golden/bits.json`.
    @ParameterizedTest
    @CsvSource({"demo-model, auto", "demo-Q8_0.gguf, auto", "demo-Q8_0.gguf, scalar", "demo-Q4_0.gguf, auto"})
    void answersTheFirstQuestionWithTheVeryBits(String form, String backendName) {
        assumeTrue(Files.isDirectory(FOLDER), "skipped: the demo model is not in ops/demo-model");
        JsonNode answer = Golden.json(FOLDER.resolve("answers.json")).get(0);
        JsonNode expected = Golden.json(Golden.resource("golden/bits.json")).get(form);
        int[] prompt = Golden.ints(answer.get("prompt"));
        int[] greedy = Golden.ints(answer.get("greedy"));
        int[] both = Arrays.copyOf(prompt, prompt.length + greedy.length);
        System.arraycopy(greedy, 0, both, prompt.length, greedy.length);
        int[] ids = BitsTest.repeat(both, expected.size());
        Path path = form.endsWith(".gguf") ? FOLDER.resolve(form) : FOLDER;
        try (TrunkRig rig = new TrunkRig(path, backendName)) {
            assertArrayEquals(greedy, rig.greedy(prompt, greedy.length));
            float[][] logits = rig.logits(ids, TrunkRig.CAPACITY.rowsMax());
            for (int i = 0; i < ids.length; i++) {
                assertEquals(expected.get(i).stringValue(), BitsTest.hash(logits[i]), "position " + i);
            }
        }
    }
}
