package org.bergfried.worker.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.bergfried.contract.ClusterException;
import org.bergfried.worker.model.PackedModel.Weights;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.StoredTensor;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Experts of four-bit integers as Kimi K2 Thinking is published: the golden kimi_k2 with its experts packed.
final class PackedExpertsTest {
    @TempDir
    Path directory;

    @BeforeEach
    void packExperts() throws IOException {
        PackedModel.write(directory, PackedExpertsTest::integer, PackedExpertsTest::scale);
    }

    /// An integer that depends on its place.
    private static int integer(Weights weights, int row, int column) {
        return (5 * row + 3 * column + column / 16) % 16 - 8;
    }

    /// Likewise; smaller than any f16.
    private static float scale(Weights weights, int row, int group) {
        return (1 + (row + group) % 3) * 0x1p-30f;
    }

    @Test
    void integersAndScalesStandInOneBlock() {
        try (Model model = Models.open(directory)) {
            TrunkTensors.SwiGlu expert = model.expert(1, 5);
            for (StoredTensor tensor : expert.tensors()) {
                assertEquals(ElementType.INT4, tensor.type());
                ByteBuffer bytes = tensor.bytes().asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
                for (int row = 0; row < tensor.rows(); row++) {
                    for (int column = 0; column < tensor.columns(); column++) {
                        int block = (row * tensor.columns() + column) / 32 * 18;
                        int both = bytes.get(block + 2 + column % 16);
                        int code = column % 32 < 16 ? both & 15 : (both >> 4) & 15;
                        assertEquals(integer(Weights.NONE, row, column), code - 8);
                        assertEquals(
                                scale(Weights.NONE, row, column / 32),
                                Float.intBitsToFloat(bytes.getShort(block) << 16));
                    }
                }
            }
        }
    }

    @Test
    void theDigestCoversIntegersScalesAndShape() throws IOException {
        Path file = directory.resolve("model.safetensors");
        byte[] whole = Files.readAllBytes(file);
        String before;
        try (Model model = Models.open(directory)) {
            before = model.digest();
            assertEquals(Optional.empty(), model.expertFault(1, 0));
        }
        String header = new String(whole, StandardCharsets.ISO_8859_1);
        int dataStart =
                8 + (int) ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getLong();
        for (String suffix : List.of("_packed", "_scale", "_shape")) {
            int named = header.indexOf("experts.0.up_proj.weight" + suffix);
            int offset = header.indexOf("offsets\":[", named) + "offsets\":[".length();
            int at = dataStart + Integer.parseInt(header.substring(offset, header.indexOf(',', offset)));
            byte[] changed = whole.clone();
            changed[at] ^= 1;
            Files.write(file, changed);
            try (Model model = Models.open(directory)) {
                assertTrue(!model.digest().equals(before), suffix);
            }
        }
    }

    @Test
    void otherWaysOfPackingAreRefusedByName() throws IOException {
        Path config = directory.resolve("config.json");
        String text = Files.readString(config);
        for (String[] change : new String[][] {
            {"\"num_bits\": 4", "\"num_bits\": 8"},
            {"\"group_size\": 32", "\"group_size\": 128"},
            {"\"symmetric\": true", "\"symmetric\": false"},
            {"\"actorder\": null", "\"actorder\": \"group\""},
            {"\"input_activations\": null", "\"input_activations\": {\"num_bits\": 8}"},
            {"pack-quantized", "naive-quantized"}
        }) {
            Files.writeString(config, text.replace(change[0], change[1]));
            var refusal = assertThrows(ClusterException.class, () -> Models.open(directory));
            String value = change[1].substring(change[1].indexOf(':') + 1).strip();
            assertTrue(refusal.text().contains(value.substring(0, Math.min(3, value.length()))), refusal.text());
            assertTrue(refusal.text().contains("config.json"), refusal.text());
        }
    }
}
