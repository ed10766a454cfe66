package org.bergfried.router.chat;

import java.util.LinkedHashMap;
import java.util.Map;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.json.JsonMapper;

/// Reads JSON into maps, lists, strings, numbers, booleans and nulls, within limits.
final class JsonTree {
    private static final int DEPTH_MAX = 200;

    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(DEPTH_MAX)
                            .maxStringLength(Integer.MAX_VALUE)
                            .build())
                    .build())
            .build();

    private JsonTree() {}

    /// Reads a document.
    ///
    /// @param what names the document in the error
    /// @throws ClusterException with `reason` if it is no JSON
    static @Nullable Object read(byte[] json, String what, ErrorReason reason) {
        try {
            return MAPPER.readValue(json, Object.class);
        } catch (JacksonException error) {
            throw new ClusterException(reason, what + " is not valid JSON: " + error.getOriginalMessage(), error);
        }
    }

    /// Reads a value if the text is JSON, or returns null.
    static @Nullable Object readIfValid(String json) {
        try {
            return MAPPER.readValue(json, Object.class);
        } catch (JacksonException notJson) {
            return null;
        }
    }

    static byte[] write(Object tree) {
        return MAPPER.writeValueAsBytes(tree);
    }

    /// The tree as an object; keys of JSON are strings.
    static Map<String, @Nullable Object> object(@Nullable Object tree, String what, ErrorReason reason) {
        if (!(tree instanceof Map<?, ?> map)) {
            throw new ClusterException(reason, what + " must be a JSON object");
        }
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        map.forEach((key, value) -> object.put(String.valueOf(key), value));
        return object;
    }
}
