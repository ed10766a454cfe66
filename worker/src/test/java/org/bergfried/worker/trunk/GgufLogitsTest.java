package org.bergfried.worker.trunk;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.bergfried.worker.Golden;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Integer-coded weights meet quantised activations, so logits differ from those of the dequantised weights: by less
/// than 1.5 times what llama.cpp differs on the same file.
final class GgufLogitsTest {
    private static final double SHARE_OF_LLAMA_CPP_MAX = 1.5;

    @ParameterizedTest
    @ValueSource(strings = {"tiny-dsv2-Q8_0.gguf", "tiny-dsv2-Q4_0.gguf"})
    void staysNearTheLogitsOfTheDequantisedWeights(String file) {
        JsonNode row = row(file);
        Path folder = Golden.resource("golden");
        int[] ids = Golden.ints(row.get("input_ids"));
        try (TrunkRig rig = new TrunkRig(folder.resolve(file), "auto")) {
            double error =
                    Golden.relativeRms(folder.resolve(row.get("logits").stringValue()), rig.logits(ids, ids.length));
            double bound =
                    SHARE_OF_LLAMA_CPP_MAX * row.get("llama_cpp_relative_rms").doubleValue();
            assertTrue(error > 0 && error < bound, file + " has a relative RMS error of " + error + ", bound " + bound);
        }
    }

    private static JsonNode row(String file) {
        for (JsonNode row : Golden.json(Golden.resource("golden/gguf.json"))) {
            if (row.get("file").stringValue().equals(file)) {
                return row;
            }
        }
        throw new AssertionError(file + " is not in gguf.json");
    }
}
