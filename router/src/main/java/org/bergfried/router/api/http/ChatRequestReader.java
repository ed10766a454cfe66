package org.bergfried.router.api.http;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import org.bergfried.contract.Limits;
import org.bergfried.router.api.AnswerOptions;
import org.bergfried.router.api.ChatCall;
import org.bergfried.router.api.StrictJson;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// Reads the body of a chat completion. What would change the answer and is not supported is refused by name; what
/// is neither known nor harmless is refused too, so that a misspelt field is not silently ignored.
final class ChatRequestReader {
    private static final Set<String> READ = Set.of(
            "model",
            "messages",
            "tools",
            "tool_choice",
            "temperature",
            "top_p",
            "top_k",
            "min_p",
            "seed",
            "stop",
            "max_tokens",
            "max_completion_tokens",
            "ignore_eos",
            "stream",
            "stream_options",
            "chat_template_kwargs");

    /// Fields that do not change the answer, whatever their value.
    private static final Set<String> HARMLESS = Set.of(
            "user", "metadata", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention");

    private ChatRequestReader() {}

    static ChatRequest read(byte[] body) {
        var fields = new Fields(StrictJson.object(body), "");
        refuseOthers(fields);
        boolean stream = fields.flag("stream", false);
        boolean includeUsage = includeUsage(fields);
        if (includeUsage && !stream) {
            throw AnswerOptions.invalid("stream_options", "stream_options may be given only with \"stream\": true");
        }
        var call = new ChatCall(
                fields.text("model").orElse(""),
                MessageReader.messages(fields),
                tools(fields),
                templateVariables(fields),
                options(fields));
        return new ChatRequest(call, stream, includeUsage);
    }

    private static void refuseOthers(Fields fields) {
        for (String name : fields.names()) {
            JsonNode value = fields.get(name);
            boolean isOther = !READ.contains(name) && !HARMLESS.contains(name);
            if (value != null && isOther && !UnsupportedFields.isNeutral(name, value)) {
                throw UnsupportedFields.refusal(name, value);
            }
        }
    }

    private static AnswerOptions options(Fields fields) {
        return new AnswerOptions(
                fields.number("temperature"),
                fields.number("top_p"),
                fields.integer("top_k"),
                fields.number("min_p"),
                fields.longInteger("seed"),
                maxTokens(fields),
                stops(fields),
                fields.flag("ignore_eos", false));
    }

    private static OptionalInt maxTokens(Fields fields) {
        OptionalInt older = fields.integer("max_tokens");
        OptionalInt newer = fields.integer("max_completion_tokens");
        if (older.isPresent() && newer.isPresent() && !older.equals(newer)) {
            throw AnswerOptions.invalid(
                    "max_tokens",
                    "max_tokens = " + older.getAsInt() + " and max_completion_tokens = " + newer.getAsInt()
                            + " mean the same and differ; send one of them");
        }
        return newer.isPresent() ? newer : older;
    }

    private static List<String> stops(Fields fields) {
        JsonNode stop = fields.get("stop");
        if (stop == null) {
            return List.of();
        }
        if (stop.isString()) {
            return List.of(stop.stringValue());
        }
        var texts = new ArrayList<String>();
        for (JsonNode text : fields.list("stop", Limits.STOP_STRINGS)) {
            if (!text.isString()) {
                throw fields.wrong("stop", stop, "a string or a list of strings");
            }
            texts.add(text.stringValue());
        }
        return texts;
    }

    private static boolean includeUsage(Fields fields) {
        JsonNode options = fields.get("stream_options");
        if (options == null) {
            return false;
        }
        var inner = new Fields(options, "stream_options");
        inner.refuseUnknown(Set.of("include_usage", "include_obfuscation"));
        if (inner.flag("include_obfuscation", false)) {
            throw AnswerOptions.invalid(
                    "stream_options.include_obfuscation", "stream_options.include_obfuscation is not supported");
        }
        return inner.flag("include_usage", false);
    }

    private static List<Object> tools(Fields fields) {
        var tools = new ArrayList<Object>();
        List<JsonNode> given = fields.list("tools", Limits.TOOLS);
        for (int i = 0; i < given.size(); i++) {
            var tool = new Fields(given.get(i), "tools[" + i + "]");
            if (!tool.requiredText("type").equals("function") || tool.get("function") == null) {
                throw AnswerOptions.invalid(
                        tool.path("type"), tool.path("type") + " must be \"function\", with the field function");
            }
            new Fields(Objects.requireNonNull(tool.get("function")), tool.path("function")).requiredText("name");
            tools.add(StrictJson.MAPPER.treeToValue(given.get(i), Object.class));
        }
        return mayCall(fields) ? tools : List.of();
    }

    private static boolean mayCall(Fields fields) {
        JsonNode choice = fields.get("tool_choice");
        if (choice == null || (choice.isString() && choice.stringValue().equals("auto"))) {
            return true;
        }
        if (choice.isString() && choice.stringValue().equals("none")) {
            return false;
        }
        throw fields.wrong("tool_choice", choice, "\"auto\" or \"none\"; a forced call is not supported");
    }

    private static Map<String, @Nullable Object> templateVariables(Fields fields) {
        JsonNode given = fields.get("chat_template_kwargs");
        Map<String, @Nullable Object> variables = new LinkedHashMap<>();
        if (given == null) {
            return variables;
        }
        if (!given.isObject()) {
            throw fields.wrong("chat_template_kwargs", given, "an object");
        }
        given.properties()
                .forEach(entry ->
                        variables.put(entry.getKey(), StrictJson.MAPPER.treeToValue(entry.getValue(), Object.class)));
        return variables;
    }
}
