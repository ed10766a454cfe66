package org.bergfried.worker.trunk;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.bergfried.worker.Golden;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/// The very bits of ARITHMETIC.md: `golden/bits.json` has, for each position of a model's prompt repeated, the
/// first 16
/// hexadecimal digits of the SHA-256 of its float32 logits, as a program computes them that was written from that
/// page
/// alone and shares no code with the engine. 300 positions cross the border of a segment of 256.
final class BitsTest {
    @ParameterizedTest
    @CsvSource({
        "deepseek_v3, scalar",
        "qwen3_moe, scalar",
        "kimi_k2, auto",
        "deepseek_v3, auto",
        "qwen3_moe, auto",
        "qwen3_moe_f16, auto"
    })
    void givesTheBitsOfTheIndependentProgram(String name, String backendName) {
        JsonNode expected = Golden.json(Golden.resource("golden/bits.json")).get(name);
        Golden golden = Golden.read(name);
        int[] ids = repeat(golden.ids(), expected.size());
        try (TrunkRig rig = TrunkRig.golden(name, backendName)) {
            float[][] logits = rig.logits(ids, TrunkRig.CAPACITY.rowsMax());
            for (int i = 0; i < ids.length; i++) {
                assertEquals(expected.get(i).stringValue(), hash(logits[i]), "position " + i);
            }
        }
    }

    static int[] repeat(int[] ids, int count) {
        int[] repeated = new int[count];
        for (int i = 0; i < count; i++) {
            repeated[i] = ids[i % ids.length];
        }
        return repeated;
    }

    static String hash(float[] logits) {
        ByteBuffer bytes = ByteBuffer.allocate(logits.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(logits);
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes.array());
            return HexFormat.of().formatHex(digest, 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
