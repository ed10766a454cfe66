package org.bergfried.router.chat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One message of a conversation as the APIs take it.
///
/// @param role `system`, `user`, `assistant`, `tool` or another that the model's template knows
/// @param content the text; empty where the client sent none
/// @param name the speaker's or the tool's name, or null
/// @param toolCalls calls that the assistant made
/// @param toolCallId the call that a `tool` message answers, or null
/// @param reasoningContent the reasoning of an earlier answer, or null
public record ChatMessage(
        String role,
        String content,
        @Nullable String name,
        List<ToolCall> toolCalls,
        @Nullable String toolCallId,
        @Nullable String reasoningContent) {
    public ChatMessage {
        toolCalls = List.copyOf(toolCalls);
    }

    /// A message that is nothing but text.
    public static ChatMessage of(String role, String content) {
        return new ChatMessage(role, content, null, List.of(), null, null);
    }

    /// What templates see: the keys of Transformers' messages, absent where there is no value.
    Map<String, @Nullable Object> tree() {
        Map<String, @Nullable Object> tree = new LinkedHashMap<>();
        tree.put("role", role);
        tree.put("content", content);
        if (name != null) {
            tree.put("name", name);
        }
        if (!toolCalls.isEmpty()) {
            List<Object> calls = new ArrayList<>();
            toolCalls.forEach(call -> calls.add(tree(call)));
            tree.put("tool_calls", calls);
        }
        if (toolCallId != null) {
            tree.put("tool_call_id", toolCallId);
        }
        if (reasoningContent != null) {
            tree.put("reasoning_content", reasoningContent);
        }
        return tree;
    }

    /// Templates expect the arguments as an object, because they print them with `tojson`; broken JSON stays a string.
    private static Map<String, Object> tree(ToolCall call) {
        Object parsed = JsonTree.readIfValid(call.arguments());
        Map<String, Object> function = new LinkedHashMap<>();
        function.put("name", call.name());
        function.put("arguments", parsed instanceof Map<?, ?> ? parsed : call.arguments());
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("id", call.id());
        tree.put("type", "function");
        tree.put("function", function);
        return tree;
    }
}
