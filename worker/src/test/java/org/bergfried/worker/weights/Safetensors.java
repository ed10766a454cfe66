package org.bergfried.worker.weights;

import java.io.ByteArrayOutputStream;
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

/// Writes safetensors files, right ones and wrong ones.
public final class Safetensors {
    private Safetensors() {}

    /// A tensor to write.
    ///
    /// @param shape outermost first.
    public record Tensor(String dtype, List<Long> shape, byte[] bytes) {
        /// The same tensor as a file has it.
        public static Tensor of(TensorEntry entry) {
            return new Tensor(entry.typeName(), entry.shape(), entry.bytes().toArray(ValueLayout.JAVA_BYTE));
        }
    }

    /// A file of tensors. Those of large elements come first, so that each begins at a multiple of its element's size.
    public static void write(Path file, Map<String, Tensor> tensors) throws IOException {
        var header = new StringBuilder("{");
        var data = new ByteArrayOutputStream();
        for (String dtype : List.of("I64", "F32", "I32", "BF16", "F16", "F8_E4M3", "U8")) {
            tensors.forEach((name, tensor) -> {
                if (tensor.dtype.equals(dtype)) {
                    int begin = data.size();
                    data.writeBytes(tensor.bytes);
                    header.append(header.length() > 1 ? "," : "")
                            .append("\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                                    .formatted(name, dtype, tensor.shape, begin, data.size()));
                }
            });
        }
        header.append("}").append(" ".repeat((8 - header.length() % 8) % 8));
        byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
        ByteBuffer whole = ByteBuffer.allocate(8 + json.length + data.size()).order(ByteOrder.LITTLE_ENDIAN);
        Files.write(
                file,
                whole.putLong(json.length).put(json).put(data.toByteArray()).array());
    }

    /// Shards of tensors dealt out in turn, and their index.
    public static void writeShards(Path directory, Map<String, Tensor> tensors, int shards) throws IOException {
        var index = new StringBuilder();
        for (int shard = 0; shard < shards; shard++) {
            String file = "model-%05d-of-%05d.safetensors".formatted(shard + 1, shards);
            var part = new LinkedHashMap<String, Tensor>();
            int i = 0;
            for (Map.Entry<String, Tensor> tensor : tensors.entrySet()) {
                if (i++ % shards == shard) {
                    part.put(tensor.getKey(), tensor.getValue());
                    index.append(index.isEmpty() ? "" : ",\n")
                            .append("\"%s\": \"%s\"".formatted(tensor.getKey(), file));
                }
            }
            write(directory.resolve(file), part);
        }
        Files.writeString(directory.resolve("model.safetensors.index.json"), "{\"weight_map\": {\n" + index + "\n}}\n");
    }

    /// A file with a header and zeros as data. The header is padded with spaces so that data begin at a multiple of 8.
    public static void write(Path file, String header, int dataBytes) throws IOException {
        String padded = header + " ".repeat((8 - header.length() % 8) % 8);
        writeRaw(file, padded.getBytes(StandardCharsets.UTF_8), dataBytes);
    }

    /// The same without padding.
    public static void writeRaw(Path file, byte[] header, int dataBytes) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(8 + header.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(header.length).put(header);
        Files.write(file, bytes.array());
    }
}
