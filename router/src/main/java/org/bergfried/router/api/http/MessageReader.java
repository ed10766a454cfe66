package org.bergfried.router.api.http;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.bergfried.contract.Limits;
import org.bergfried.router.api.AnswerOptions;
import org.bergfried.router.api.StrictJson;
import org.bergfried.router.chat.ChatMessage;
import org.bergfried.router.chat.Conversation;
import org.bergfried.router.chat.ToolCall;
import tools.jackson.databind.JsonNode;

/// Reads the messages of a chat completion.
final class MessageReader {
    private static final int ROLE_SHOWN = 32;
    private static final Set<String> ROLES = Set.of("system", "developer", "user", "assistant", "tool");
    private static final Set<String> FIELDS = Set.of(
            "role", "content", "name", "tool_calls", "tool_call_id", "reasoning_content", "refusal", "annotations");
    private static final Set<String> CALL_FIELDS = Set.of("id", "type", "function", "index");

    private MessageReader() {}

    static List<ChatMessage> messages(Fields fields) {
        List<JsonNode> given = fields.list("messages", Limits.MESSAGES);
        if (given.isEmpty()) {
            throw AnswerOptions.invalid("messages", "messages is required: a list of at least one message");
        }
        var messages = new ArrayList<ChatMessage>();
        for (int i = 0; i < given.size(); i++) {
            messages.add(message(new Fields(given.get(i), "messages[" + i + "]")));
        }
        return messages;
    }

    private static ChatMessage message(Fields message) {
        message.refuseUnknown(FIELDS);
        String role = message.requiredText("role");
        if (!ROLES.contains(role)) {
            throw AnswerOptions.invalid(
                    message.path("role"),
                    message.path("role") + " = " + shortened(role) + " must be one of "
                            + ROLES.stream().sorted().toList());
        }
        JsonNode content = message.get("content");
        List<ToolCall> calls = toolCalls(message);
        if (content == null && calls.isEmpty() && !role.equals("assistant")) {
            throw AnswerOptions.invalid(message.path("content"), message.path("content") + " is required");
        }
        Object tree = content == null ? null : StrictJson.MAPPER.treeToValue(content, Object.class);
        return new ChatMessage(
                role.equals("developer") ? "system" : role,
                Conversation.contentText(tree, message.path("content")),
                message.text("name").orElse(null),
                calls,
                message.text("tool_call_id").orElse(null),
                message.text("reasoning_content").orElse(null));
    }

    private static List<ToolCall> toolCalls(Fields message) {
        List<JsonNode> given = message.list("tool_calls", Limits.TOOLS);
        var calls = new ArrayList<ToolCall>();
        for (int i = 0; i < given.size(); i++) {
            var call = new Fields(given.get(i), message.path("tool_calls[" + i + "]"));
            call.refuseUnknown(CALL_FIELDS);
            JsonNode function = call.get("function");
            if (function == null) {
                throw AnswerOptions.invalid(call.path("function"), call.path("function") + " is required");
            }
            var inner = new Fields(function, call.path("function"));
            calls.add(new ToolCall(
                    call.text("id").orElse(""), inner.requiredText("name"), inner.requiredText("arguments")));
        }
        return calls;
    }

    private static String shortened(String value) {
        return value.length() <= ROLE_SHOWN ? value : value.substring(0, ROLE_SHOWN) + "...";
    }
}
