package org.bergfried.router.api;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.Limits;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Reads the JSON of callers: UTF-8 without faults, one JSON object, no key twice, bounded depth, only finite
/// numbers.
public final class StrictJson {
    /// Writes JSON, and turns what was read into plain values.
    public static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(Limits.JSON_DEPTH)
                            .maxStringLength(Limits.REQUEST_BODY_BYTES)
                            .maxNameLength(65_536)
                            .build())
                    .build())
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private StrictJson() {}

    /// The object in a body.
    ///
    /// @throws ClusterException with INVALID_REQUEST that says what is wrong and where.
    public static JsonNode object(byte[] body) {
        JsonNode root = parse(decode(body), "the body");
        if (!root.isObject()) {
            throw new ClusterException(ErrorReason.INVALID_REQUEST, "the body must be a JSON object");
        }
        requireFinite(root, "");
        return root;
    }

    /// The object in a text inside of a message.
    ///
    /// @param field what the text is called.
    /// @throws ClusterException with INVALID_REQUEST that names the field and says what is wrong and where.
    public static Map<String, @Nullable Object> object(String text, String field) {
        JsonNode root;
        try {
            root = parse(text, field);
        } catch (ClusterException malformed) {
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST, malformed.text(), Map.of("field", field), malformed);
        }
        if (!root.isObject()) {
            throw AnswerOptions.invalid(field, field + " must be a JSON object");
        }
        requireFinite(root, field);
        return MAPPER.treeToValue(root, new TypeReference<Map<String, @Nullable Object>>() {});
    }

    private static String decode(byte[] body) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(body))
                    .toString();
        } catch (CharacterCodingException broken) {
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST, "the body is not valid UTF-8; send JSON in UTF-8", broken);
        }
    }

    private static JsonNode parse(String text, String what) {
        try {
            return MAPPER.readTree(text);
        } catch (StreamConstraintsException tooMuch) {
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST,
                    what + "'s JSON is nested deeper than " + Limits.JSON_DEPTH + " levels or has a number or name"
                            + " beyond its limit: " + tooMuch.getOriginalMessage(),
                    tooMuch);
        } catch (JacksonException malformed) {
            var at = malformed.getLocation();
            String place = at == null ? "" : " at line " + at.getLineNr() + ", column " + at.getColumnNr();
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST,
                    what + " is not valid JSON" + place + ": " + malformed.getOriginalMessage(),
                    malformed);
        }
    }

    private static void requireFinite(JsonNode node, String path) {
        if (node.isNumber() && !Double.isFinite(node.doubleValue())) {
            throw AnswerOptions.invalid(path, path + " must be a finite number; the largest is about 1.8e308");
        }
        if (node.isObject()) {
            node.properties()
                    .forEach(entry -> requireFinite(
                            entry.getValue(), path.isEmpty() ? entry.getKey() : path + "." + entry.getKey()));
        } else {
            for (int i = 0; i < node.size(); i++) {
                requireFinite(node.get(i), path + "[" + i + "]");
            }
        }
    }
}
