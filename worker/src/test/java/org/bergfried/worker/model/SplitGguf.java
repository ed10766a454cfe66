package org.bergfried.worker.model;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.bergfried.worker.weights.GgufBytes;
import org.bergfried.worker.weights.TensorEntry;
import org.bergfried.worker.weights.gguf.GgufFile;

/// Cuts a GGUF into parts as llama.cpp's splitter does.
final class SplitGguf {
    /// ggml's numbers of types.
    private static final Map<String, Integer> TYPES =
            Map.of("F32", 0, "F16", 1, "Q4_0", 2, "Q8_0", 8, "Q6_K", 14, "BF16", 30, "MXFP4", 39);

    private SplitGguf() {}

    /// Writes the parts `NAME-00001-of-0000N.gguf` and gives their paths.
    static List<Path> write(Path whole, Path directory, String name, int parts) throws IOException {
        var paths = new ArrayList<Path>();
        for (int number = 1; number <= parts; number++) {
            Path part = directory.resolve("%s-%05d-of-%05d.gguf".formatted(name, number, parts));
            Files.write(part, part(whole, number, parts, UnaryOperator.identity()));
            paths.add(part);
        }
        return paths;
    }

    /// A part: the first has the metadata, each has its share of the tensors.
    static byte[] part(Path path, int number, int parts, UnaryOperator<GgufBytes> change) {
        try (GgufFile whole = GgufFile.open(path)) {
            List<TensorEntry> all = List.copyOf(whole.entries().values());
            var gguf = new GgufBytes();
            if (number == 1) {
                gguf.fieldsOf(whole.metadataBytes().toArray(ValueLayout.JAVA_BYTE));
            }
            gguf.uint16("split.no", number - 1).uint16("split.count", parts);
            gguf.uint32("split.tensors.count", all.size());
            var data = new ByteArrayOutputStream();
            for (TensorEntry entry : all.subList(all.size() * (number - 1) / parts, all.size() * number / parts)) {
                add(gguf, entry, data);
            }
            return change.apply(gguf)
                    .dataStart(data.toByteArray())
                    .data(data.size())
                    .bytes();
        }
    }

    private static void add(GgufBytes gguf, TensorEntry entry, ByteArrayOutputStream data) {
        Integer type = TYPES.get(entry.typeName());
        if (type == null) {
            throw new AssertionError("no number of " + entry.typeName());
        }
        long[] sizes =
                entry.shape().reversed().stream().mapToLong(Long::longValue).toArray();
        gguf.tensor(entry.name(), type, data.size(), sizes);
        data.writeBytes(entry.bytes().toArray(ValueLayout.JAVA_BYTE));
        data.writeBytes(new byte[-data.size() & 31]);
    }
}
