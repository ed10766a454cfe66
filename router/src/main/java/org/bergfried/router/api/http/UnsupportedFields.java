package org.bergfried.router.api.http;

import java.util.Map;
import java.util.Set;
import org.bergfried.contract.ClusterException;
import org.bergfried.router.api.AnswerOptions;
import tools.jackson.databind.JsonNode;

/// Fields of OpenAI's API, and of servers like this one, that would change the answer and are not supported: they
/// are accepted only with the value that changes nothing.
final class UnsupportedFields {
    private static final Set<String> ZERO =
            Set.of("frequency_penalty", "presence_penalty", "top_logprobs", "min_tokens", "prompt_logprobs");
    private static final Set<String> ONE = Set.of("n", "best_of", "repetition_penalty", "repeat_penalty");
    private static final Set<String> FALSE = Set.of("logprobs", "store", "echo", "use_beam_search");
    private static final Set<String> TRUE = Set.of("parallel_tool_calls", "skip_special_tokens");
    private static final Set<String> EMPTY = Set.of("logit_bias", "functions", "stop_token_ids", "bad_words");
    private static final Set<String> NEVER = Set.of(
            "audio",
            "prediction",
            "web_search_options",
            "reasoning_effort",
            "verbosity",
            "moderation",
            "suffix",
            "typical_p",
            "guided_json",
            "guided_regex",
            "structured_outputs");
    private static final Map<String, String> TEXT = Map.of("function_call", "auto");

    private UnsupportedFields() {}

    /// Whether the field has the value that changes nothing.
    static boolean isNeutral(String name, JsonNode value) {
        return (ZERO.contains(name) && value.isNumber() && value.doubleValue() == 0)
                || (ONE.contains(name) && value.isNumber() && value.doubleValue() == 1)
                || (FALSE.contains(name) && value.isBoolean() && !value.booleanValue())
                || (TRUE.contains(name) && value.isBoolean() && value.booleanValue())
                || (EMPTY.contains(name) && value.isContainer() && value.isEmpty())
                || (TEXT.containsKey(name)
                        && value.isString()
                        && value.stringValue().equals(TEXT.get(name)))
                || (name.equals("modalities") && value.toString().equals("[\"text\"]"))
                || (name.equals("response_format")
                        && value.path("type").asString("").equals("text"));
    }

    /// The error for any other value, or for a field that nobody knows.
    static ClusterException refusal(String name, JsonNode value) {
        String message = name + " is not supported";
        if (ZERO.contains(name)) {
            message = name + " is not supported; leave it out or send 0";
        } else if (ONE.contains(name)) {
            message = name + " = " + value + " is not supported; the only value is 1";
        } else if (FALSE.contains(name) || TRUE.contains(name)) {
            message = name + " is supported only with the value " + TRUE.contains(name);
        } else if (name.equals("response_format")) {
            message = "response_format is supported only with the type \"text\"";
        } else if (name.equals("reasoning_effort")) {
            message = "reasoning_effort is not supported; send chat_template_kwargs {\"enable_thinking\": false} for"
                    + " an answer without reasoning";
        } else if (!isKnown(name)) {
            message = "the field " + name + " is not known; check its spelling or leave it out";
        }
        return AnswerOptions.invalid(name, message);
    }

    private static boolean isKnown(String name) {
        return EMPTY.contains(name) || NEVER.contains(name) || TEXT.containsKey(name) || name.equals("modalities");
    }
}
