package org.bergfried.worker.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.Golden;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Families with sparse or linear attention, hash gates and the like are refused by name. Beside each configuration lie
/// weights that would be accepted, so that nothing else can be what is refused.
class UnsupportedFamiliesTest {
    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "deepseek_v32",
                "deepseek_v4",
                "glm_moe_dsa",
                "kimi_linear",
                "llama4_text",
                "longcat_flash",
                "qwen3_5_moe_text",
                "qwen3_next"
            })
    void refusesAFamilyByName(String name) throws IOException {
        Files.copy(Golden.path("unsupported/" + name).resolve("config.json"), directory.resolve("config.json"));
        Files.copy(Golden.path("llama").resolve("model.safetensors"), directory.resolve("model.safetensors"));
        ClusterException refusal = assertThrows(
                ClusterException.class, () -> Models.open(directory).close());
        assertEquals(ErrorReason.MODEL_UNSUPPORTED, refusal.reason());
        assertTrue(refusal.text().contains("model_type = " + name + " is not understood"), refusal.text());
    }
}
