package org.bergfried.router.api;

import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.Limits;

/// How an answer is drawn and when it ends, as a caller asked for it.
///
/// @param temperature 0 to 2.
/// @param topP above 0, at most 1.
/// @param topK 0 or more.
/// @param minP 0 to 1.
/// @param seed of the generator.
/// @param maxTokens most tokens of the answer.
/// @param stop texts that end the answer.
/// @param ignoreEos whether the model's end tokens are passed over.
public record AnswerOptions(
        OptionalDouble temperature,
        OptionalDouble topP,
        OptionalInt topK,
        OptionalDouble minP,
        OptionalLong seed,
        OptionalInt maxTokens,
        List<String> stop,
        boolean ignoreEos) {
    /// Checks every range; the messages use the names that the fields have in both APIs.
    public AnswerOptions {
        stop = List.copyOf(stop);
        temperature.ifPresent(value -> require(value >= 0 && value <= 2, "temperature", value, "from 0 to 2"));
        topP.ifPresent(value -> require(value > 0 && value <= 1, "top_p", value, "above 0 and at most 1"));
        topK.ifPresent(value -> require(value >= 0, "top_k", value, "0 or more"));
        minP.ifPresent(value -> require(value >= 0 && value <= 1, "min_p", value, "from 0 to 1"));
        maxTokens.ifPresent(value -> require(
                value >= 1 && value <= Limits.ANSWER_TOKENS, "max_tokens", value, "from 1 to " + Limits.ANSWER_TOKENS));
        require(stop.size() <= Limits.STOP_STRINGS, "stop", stop.size() + " texts", "at most " + Limits.STOP_STRINGS);
        for (int i = 0; i < stop.size(); i++) {
            int length = stop.get(i).length();
            require(
                    length >= 1 && length <= Limits.STOP_STRING_CHARS,
                    "stop",
                    "text " + i + " of " + length + " characters",
                    "of 1 to " + Limits.STOP_STRING_CHARS + " characters");
        }
    }

    /// An error of one field.
    public static ClusterException invalid(String field, String message) {
        return new ClusterException(ErrorReason.INVALID_REQUEST, message, Map.of("field", field));
    }

    private static void require(boolean holds, String field, Object value, String limit) {
        if (!holds) {
            throw invalid(field, field + " = " + value + " must be " + limit);
        }
    }
}
