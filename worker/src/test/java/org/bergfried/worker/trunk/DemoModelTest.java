package org.bergfried.worker.trunk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.Arrays;
import org.bergfried.worker.Golden;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// The bundled demo model in each of its forms: the answers that its training gave and the bits of ARITHMETIC.md.
final class DemoModelTest {
    private static final Path FOLDER = Path.of("../ops/demo-model");

    /// @param form a file beside the safetensors, or the folder itself for those.
    private static TrunkRig open(String form, String backendName) {
        return new TrunkRig(form.endsWith(".gguf") ? FOLDER.resolve(form) : FOLDER, backendName);
    }

    private static JsonNode answers() {
        return Golden.json(FOLDER.resolve("answers.json"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"demo-model", "demo-Q8_0.gguf", "demo-Q4_0.gguf"})
    void answersEveryQuestion(String form) {
        try (TrunkRig rig = open(form, "auto")) {
            for (JsonNode answer : answers()) {
                int[] greedy = Golden.ints(answer.get("greedy"));
                assertArrayEquals(
                        greedy,
                        rig.greedy(Golden.ints(answer.get("prompt")), greedy.length),
                        answer.get("question").stringValue());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"demo-model, auto", "demo-Q8_0.gguf, auto", "demo-Q8_0.gguf, scalar", "demo-Q4_0.gguf, auto"})
    void givesTheVeryBits(String form, String backendName) {
        JsonNode answer = answers().get(0);
        JsonNode expected = Golden.json(Golden.resource("golden/bits.json")).get(form);
        int[] prompt = Golden.ints(answer.get("prompt"));
        int[] greedy = Golden.ints(answer.get("greedy"));
        int[] both = Arrays.copyOf(prompt, prompt.length + greedy.length);
        System.arraycopy(greedy, 0, both, prompt.length, greedy.length);
        int[] ids = BitsTest.repeat(both, expected.size());
        try (TrunkRig rig = open(form, backendName)) {
            float[][] logits = rig.logits(ids, TrunkRig.CAPACITY.rowsMax());
            for (int i = 0; i < ids.length; i++) {
                assertEquals(expected.get(i).stringValue(), BitsTest.hash(logits[i]), "position " + i);
            }
        }
    }
}
