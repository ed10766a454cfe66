package org.bergfried.router.api.http;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.Limits;
import org.bergfried.router.api.AnswerOptions;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Reads bodies: UTF-8 without faults, one JSON object, no key twice, bounded depth, only finite numbers.
final class StrictJson {
    static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
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
    static JsonNode object(byte[] body) {
        JsonNode root = parse(decode(body));
        if (!root.isObject()) {
            throw invalid("the body must be a JSON object");
        }
        requireFinite(root, "");
        return root;
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

    private static JsonNode parse(String text) {
        try {
            return MAPPER.readTree(text);
        } catch (StreamConstraintsException tooMuch) {
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST,
                    "the body's JSON is nested deeper than " + Limits.JSON_DEPTH + " levels or has a number or name"
                            + " beyond its limit: " + tooMuch.getOriginalMessage(),
                    tooMuch);
        } catch (JacksonException malformed) {
            var at = malformed.getLocation();
            String place = at == null ? "" : " at line " + at.getLineNr() + ", column " + at.getColumnNr();
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST,
                    "the body is not valid JSON" + place + ": " + malformed.getOriginalMessage(),
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

    private static ClusterException invalid(String message) {
        return new ClusterException(ErrorReason.INVALID_REQUEST, message);
    }
}
