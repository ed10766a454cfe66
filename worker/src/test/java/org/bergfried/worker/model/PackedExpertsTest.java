package org.bergfried.worker.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bergfried.contract.ClusterException;
import org.bergfried.worker.Golden;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.StoredTensor;
import org.bergfried.worker.weights.TensorEntry;
import org.bergfried.worker.weights.safetensors.SafetensorsFile;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Experts of four-bit integers as Kimi K2 Thinking is published: the golden kimi_k2 with its experts packed.
final class PackedExpertsTest {
    private static final String PACKED_CONFIG = """
            {"quantization_config": {"quant_method": "compressed-tensors", "format": "pack-quantized",
             "quantization_status": "compressed", "kv_cache_scheme": null, "ignore": ["lm_head", "re:.*self_attn.*"],
             "config_groups": {"group_0": {"targets": ["Linear"], "input_activations": null,
              "output_activations": null, "weights": {"actorder": null, "block_structure": null, "dynamic": false,
               "group_size": 32, "num_bits": 4, "observer": "minmax", "observer_kwargs": {}, "strategy": "group",
               "symmetric": true, "type": "int"}}}},""";

    @TempDir
    Path directory;

    /// A tensor to write.
    private record Part(String dtype, List<Long> shape, byte[] bytes) {}

    @BeforeEach
    void packExperts() throws IOException {
        Path golden = Golden.path("kimi_k2");
        String config = Files.readString(golden.resolve("config.json"));
        Files.writeString(directory.resolve("config.json"), config.replaceFirst("\\{", PACKED_CONFIG));
        var parts = new LinkedHashMap<String, Part>();
        try (var file = SafetensorsFile.open(golden.resolve("model.safetensors"))) {
            file.entries().forEach((name, entry) -> {
                if (name.contains(".mlp.experts.")) {
                    pack(name, entry, parts);
                } else {
                    parts.put(name, new Part(entry.typeName(), entry.shape(), bytes(entry)));
                }
            });
        }
        write(directory.resolve("model.safetensors"), parts);
    }

    private static byte[] bytes(TensorEntry entry) {
        return entry.bytes().toArray(ValueLayout.JAVA_BYTE);
    }

    /// Integers that depend on their place, eight in 32 bits, and scales that depend on theirs.
    private static void pack(String name, TensorEntry entry, Map<String, Part> parts) {
        long rows = entry.shape().get(0);
        long columns = entry.shape().get(1);
        ByteBuffer packed = buffer((int) (rows * columns / 2));
        ByteBuffer scales = buffer((int) (rows * columns / 16));
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column += 8) {
                int word = 0;
                for (int i = 0; i < 8; i++) {
                    word |= (integer(row, column + i) + 8) << (4 * i);
                }
                packed.putInt(word);
            }
            for (int group = 0; group < columns / 32; group++) {
                scales.putShort((short) (Float.floatToRawIntBits(scale(row, group)) >>> 16));
            }
        }
        ByteBuffer shape = buffer(16).putLong(rows).putLong(columns);
        parts.put(name + "_packed", new Part("I32", List.of(rows, columns / 8), array(packed)));
        parts.put(name + "_scale", new Part("BF16", List.of(rows, columns / 32), array(scales)));
        parts.put(name + "_shape", new Part("I64", List.of(2L), array(shape)));
    }

    private static int integer(int row, int column) {
        return (5 * row + 3 * column + column / 16) % 16 - 8;
    }

    private static float scale(int row, int group) {
        return (1 + (row + group) % 3) * 0x1p-30f; // smaller than any f16
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static byte[] array(ByteBuffer buffer) {
        var bytes = new byte[buffer.position()];
        buffer.flip().get(bytes);
        return bytes;
    }

    /// Tensors of eight bytes first, so that each begins at a multiple of its element's size.
    private static void write(Path file, Map<String, Part> parts) throws IOException {
        var header = new StringBuilder("{");
        ByteBuffer data = buffer(
                parts.values().stream().mapToInt(part -> part.bytes.length).sum());
        for (String dtype : List.of("I64", "F32", "I32", "BF16")) {
            parts.forEach((name, part) -> {
                if (part.dtype.equals(dtype)) {
                    header.append(header.length() > 1 ? "," : "")
                            .append("\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                                    .formatted(
                                            name,
                                            dtype,
                                            part.shape,
                                            data.position(),
                                            data.position() + part.bytes.length));
                    data.put(part.bytes);
                }
            });
        }
        header.append("}").append(" ".repeat((8 - header.length() % 8) % 8));
        byte[] json = header.toString().getBytes(StandardCharsets.US_ASCII);
        ByteBuffer whole =
                buffer(8 + json.length + data.position()).putLong(json.length).put(json);
        Files.write(file, array(whole.put(array(data))));
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
                        assertEquals(integer(row, column), code - 8);
                        assertEquals(scale(row, column / 32), Float.intBitsToFloat(bytes.getShort(block) << 16));
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
            assertTrue(model.expertIntact(1, 0));
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
