package org.bergfried.worker.model;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bergfried.worker.Golden;
import org.bergfried.worker.weights.Safetensors;
import org.bergfried.worker.weights.Safetensors.Tensor;
import org.bergfried.worker.weights.TensorEntry;
import org.bergfried.worker.weights.safetensors.SafetensorsFile;

/// The golden kimi_k2 with its experts in four-bit integers as Kimi K2 Thinking is published (compressed-tensors).
public final class PackedModel {
    /// Columns that share a scale.
    public static final int GROUP = 32;

    private static final String CONFIG = """
            {"quantization_config": {"quant_method": "compressed-tensors", "format": "pack-quantized",
             "quantization_status": "compressed", "kv_cache_scheme": null, "ignore": ["lm_head", "re:.*self_attn.*"],
             "config_groups": {"group_0": {"targets": ["Linear"], "input_activations": null,
              "output_activations": null, "weights": {"actorder": null, "block_structure": null, "dynamic": false,
               "group_size": 32, "num_bits": 4, "observer": "minmax", "observer_kwargs": {}, "strategy": "group",
               "symmetric": true, "type": "int"}}}},""";

    private PackedModel() {}

    /// The weights of a matrix before it is packed.
    public interface Weights {
        /// Of nothing.
        Weights NONE = (row, column) -> 0;

        /// One weight.
        float at(int row, int column);
    }

    /// The integer of a weight, -8 to 7.
    public interface Integers {
        /// Of a matrix at a place.
        int at(Weights weights, int row, int column);
    }

    /// The scale of a group, exact in bf16.
    public interface Scales {
        /// Of a matrix in a row.
        float at(Weights weights, int row, int group);
    }

    /// Integers and scales nearest to the weights.
    public static void write(Path directory) throws IOException {
        write(directory, PackedModel::nearest, PackedModel::scale);
    }

    /// Any integers and scales.
    static void write(Path directory, Integers integers, Scales scales) throws IOException {
        String config = Files.readString(Golden.path("kimi_k2").resolve("config.json"));
        Files.writeString(directory.resolve("config.json"), config.replaceFirst("\\{", CONFIG));
        var tensors = new LinkedHashMap<String, Tensor>();
        try (var file = SafetensorsFile.open(Golden.path("kimi_k2").resolve("model.safetensors"))) {
            file.entries().forEach((name, entry) -> {
                if (name.contains(".mlp.experts.")) {
                    pack(name, entry, integers, scales, tensors);
                } else {
                    tensors.put(name, Tensor.of(entry));
                }
            });
        }
        Safetensors.write(directory.resolve("model.safetensors"), tensors);
    }

    /// The same numbers as [#write(Path)] writes them, in float32.
    public static void writeTwin(Path directory) throws IOException {
        Path golden = Golden.path("kimi_k2");
        Files.copy(golden.resolve("config.json"), directory.resolve("config.json"));
        var tensors = new LinkedHashMap<String, Tensor>();
        try (var file = SafetensorsFile.open(golden.resolve("model.safetensors"))) {
            file.entries().forEach((name, entry) -> {
                tensors.put(name, name.contains(".mlp.experts.") ? unpacked(entry) : Tensor.of(entry));
            });
        }
        Safetensors.write(directory.resolve("model.safetensors"), tensors);
    }

    private static Tensor unpacked(TensorEntry entry) {
        Weights weights = weights(entry);
        int rows = Math.toIntExact(entry.shape().get(0));
        int columns = Math.toIntExact(entry.shape().get(1));
        ByteBuffer floats = buffer(rows * columns * Float.BYTES);
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                floats.putFloat(nearest(weights, row, column) * scale(weights, row, column / GROUP));
            }
        }
        return new Tensor("F32", entry.shape(), array(floats));
    }

    private static Weights weights(TensorEntry entry) {
        ByteBuffer bytes = entry.bytes().asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        int columns = Math.toIntExact(entry.shape().get(1));
        return (row, column) -> Float.intBitsToFloat(bytes.getShort(2 * (row * columns + column)) << 16);
    }

    private static int nearest(Weights weights, int row, int column) {
        float scale = scale(weights, row, column / GROUP);
        return Math.clamp(Math.round(weights.at(row, column) / scale), -8, 7);
    }

    /// A seventh of the largest, cut to bf16.
    private static float scale(Weights weights, int row, int group) {
        float largest = 0;
        for (int column = group * GROUP; column < (group + 1) * GROUP; column++) {
            largest = Math.max(largest, Math.abs(weights.at(row, column)));
        }
        return Float.intBitsToFloat(Float.floatToIntBits(largest / 7) & 0xffff0000);
    }

    /// Eight integers in 32 bits, a scale for 32 columns.
    private static void pack(
            String name, TensorEntry entry, Integers integers, Scales scales, Map<String, Tensor> tensors) {
        Weights weights = weights(entry);
        long rows = entry.shape().get(0);
        long columns = entry.shape().get(1);
        ByteBuffer packed = buffer((int) (rows * columns / 2));
        ByteBuffer scaled = buffer((int) (rows * columns / 16));
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column += 8) {
                int word = 0;
                for (int i = 0; i < 8; i++) {
                    word |= (integers.at(weights, row, column + i) + 8) << (4 * i);
                }
                packed.putInt(word);
            }
            for (int group = 0; group < columns / GROUP; group++) {
                scaled.putShort((short) (Float.floatToRawIntBits(scales.at(weights, row, group)) >>> 16));
            }
        }
        byte[] shape = array(buffer(16).putLong(rows).putLong(columns));
        tensors.put(name + "_packed", new Tensor("I32", List.of(rows, columns / 8), array(packed)));
        tensors.put(name + "_scale", new Tensor("BF16", List.of(rows, columns / GROUP), array(scaled)));
        tensors.put(name + "_shape", new Tensor("I64", List.of(2L), shape));
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static byte[] array(ByteBuffer buffer) {
        var bytes = new byte[buffer.position()];
        buffer.flip().get(bytes);
        return bytes;
    }
}
