package org.bergfried.router.chat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.jspecify.annotations.Nullable;

/// What a template is rendered for. Messages and tools are trees of maps, lists, strings, numbers, booleans and nulls,
/// because templates look at whatever keys their model knows.
///
/// @param messages the messages in order, each a map
/// @param tools the tools on offer in OpenAI's form, or null if there are none
/// @param addGenerationPrompt whether the prompt ends where the assistant's answer begins
/// @param kwargs further variables for the template, `chat_template_kwargs` over HTTP
public record Conversation(
        List<? extends Map<String, ? extends @Nullable Object>> messages,
        @Nullable List<? extends @Nullable Object> tools,
        boolean addGenerationPrompt,
        Map<String, ? extends @Nullable Object> kwargs) {
    private static final Set<String> RESERVED = Set.of("messages", "tools", "documents", "add_generation_prompt");

    public Conversation {
        for (String name : kwargs.keySet()) {
            if (RESERVED.contains(name)) {
                throw new ClusterException(
                        ErrorReason.INVALID_REQUEST,
                        "chat_template_kwargs may not contain '" + name
                                + "': the request has a field of its own for it");
            }
        }
    }

    /// A conversation that asks for an answer, from what the APIs take. `enable_thinking` and `thinking` are two names
    /// for one thing in the templates of different makers, so either stands for both.
    ///
    /// @param tools tools in OpenAI's form as JSON trees; empty if none are offered
    public static Conversation of(
            List<ChatMessage> messages,
            List<? extends @Nullable Object> tools,
            Map<String, ? extends @Nullable Object> kwargs) {
        List<Map<String, @Nullable Object>> trees = new ArrayList<>();
        messages.forEach(message -> trees.add(message.tree()));
        Map<String, @Nullable Object> variables = new LinkedHashMap<>(kwargs);
        copyIfAbsent(variables, "enable_thinking", "thinking");
        copyIfAbsent(variables, "thinking", "enable_thinking");
        return new Conversation(trees, tools.isEmpty() ? null : tools, true, variables);
    }

    private static void copyIfAbsent(Map<String, @Nullable Object> variables, String from, String to) {
        if (variables.containsKey(from) && !variables.containsKey(to)) {
            variables.put(to, variables.get(from));
        }
    }

    /// The text of OpenAI's `content`: a string, null, or an array of parts of type `text`, which are joined.
    ///
    /// @param content the field as a JSON tree
    /// @param where names the field in the error
    /// @throws ClusterException INVALID_REQUEST if it is anything else, such as an image
    public static String contentText(@Nullable Object content, String where) {
        return switch (content) {
            case null -> "";
            case String text -> text;
            case List<?> parts -> {
                StringBuilder text = new StringBuilder();
                for (int i = 0; i < parts.size(); i++) {
                    text.append(partText(parts.get(i), where + "[" + i + "]"));
                }
                yield text.toString();
            }
            default ->
                throw new ClusterException(
                        ErrorReason.INVALID_REQUEST, where + " must be a string or an array of text parts");
        };
    }

    private static String partText(@Nullable Object part, String where) {
        if (part instanceof Map<?, ?> map && "text".equals(map.get("type")) && map.get("text") instanceof String text) {
            return text;
        }
        String type = part instanceof Map<?, ?> map ? String.valueOf(map.get("type")) : "none";
        throw new ClusterException(
                ErrorReason.INVALID_REQUEST,
                where + " must be {\"type\": \"text\", \"text\": string}; the type '" + type + "' is not supported");
    }

    /// The variables of the template, as Transformers names them: `tools` and `documents` are always defined.
    Map<String, @Nullable Object> variables() {
        Map<String, @Nullable Object> variables = new LinkedHashMap<>(kwargs);
        variables.put("messages", messages);
        variables.put("tools", tools);
        variables.put("documents", null);
        variables.put("add_generation_prompt", addGenerationPrompt);
        return variables;
    }
}
