package org.bergfried.worker.weights;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.Limits;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// JSON beside and inside of model files, read with bounds on size, depth and lengths, and without duplicate names.
public final class JsonTexts {
    /// Largest file that is read as a tree; real ones (config.json, tokenizer_config.json) stay below 1 MiB.
    public static final int TREE_BYTES_MAX = 16 << 20;

    /// Longest name of a tensor or field; real ones stay below 128.
    private static final int NAME_CHARS_MAX = 4096;

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(Limits.JSON_DEPTH)
                    .maxNameLength(NAME_CHARS_MAX)
                    .maxStringLength(TREE_BYTES_MAX)
                    .maxNumberLength(64)
                    .build())
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();
    private static final JsonMapper MAPPER = new JsonMapper(FACTORY);

    private JsonTexts() {}

    /// A parser over bytes that are already bounded.
    public static JsonParser parser(byte[] json) {
        return FACTORY.createParser(ObjectReadContext.empty(), json);
    }

    /// A generator that writes UTF-8.
    public static JsonGenerator generator(OutputStream out) {
        return FACTORY.createGenerator(ObjectWriteContext.empty(), out);
    }

    /// An empty object.
    public static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    /// Reads a small file as an object.
    ///
    /// @throws ClusterException WEIGHTS_CORRUPT if it is no such thing.
    public static ObjectNode readObject(Path file) {
        byte[] bytes = readBytes(file, TREE_BYTES_MAX);
        try {
            JsonNode tree = MAPPER.readTree(bytes);
            if (tree instanceof ObjectNode object) {
                return object;
            }
        } catch (JacksonException e) {
            throw broken(file, "is no valid JSON", e);
        }
        throw Refusals.corrupt(file, "is no JSON object");
    }

    /// Reads a whole file of bounded size.
    ///
    /// @throws ClusterException WEIGHTS_CORRUPT if it is longer or cannot be read.
    public static byte[] readBytes(Path file, int bytesMax) {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(bytesMax + 1);
            if (bytes.length > bytesMax) {
                throw Refusals.corrupt(file, "is longer than the " + bytesMax + " bytes that are read of such a file");
            }
            return bytes;
        } catch (IOException e) {
            throw Refusals.corrupt(file, "cannot be read: " + e);
        }
    }

    /// What to say about JSON that does not parse: where and why, in one line.
    public static ClusterException broken(Path file, String what, JacksonException cause) {
        String where = cause.getLocation() == null
                ? ""
                : " at byte " + cause.getLocation().getByteOffset();
        return Refusals.corrupt(file, what + where + ": " + Refusals.shown(String.valueOf(cause.getOriginalMessage())));
    }
}
