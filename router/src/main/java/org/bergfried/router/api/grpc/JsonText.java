package org.bergfried.router.api.grpc;

import java.util.Map;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.Limits;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/// Reads the JSON texts inside of messages.
final class JsonText {
    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(Limits.JSON_DEPTH)
                            .build())
                    .build())
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private JsonText() {}

    /// The object in a text.
    static Map<String, @Nullable Object> object(String text, String field) {
        try {
            return MAPPER.readValue(text, new TypeReference<Map<String, @Nullable Object>>() {});
        } catch (JacksonException malformed) {
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST,
                    field + " must be a JSON object of at most " + Limits.JSON_DEPTH + " levels: "
                            + malformed.getOriginalMessage(),
                    Map.of("field", field),
                    malformed);
        }
    }
}
