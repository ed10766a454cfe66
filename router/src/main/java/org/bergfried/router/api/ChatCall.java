package org.bergfried.router.api;

import java.util.List;
import java.util.Map;
import org.bergfried.router.chat.ChatMessage;
import org.jspecify.annotations.Nullable;

/// A conversation to be answered.
///
/// @param model the served name; empty takes the only model.
/// @param messages at least one, at most 4096.
/// @param tools tools in OpenAI's form as JSON trees; empty if none are offered.
/// @param kwargs further variables of the template.
/// @param options how the answer is drawn.
public record ChatCall(
        String model,
        List<ChatMessage> messages,
        List<Object> tools,
        Map<String, @Nullable Object> kwargs,
        AnswerOptions options) {
    /// The first message of the user, or the first at all: what makes a session recognisable.
    String firstUserMessage() {
        return messages.stream()
                .filter(message -> message.role().equals("user"))
                .findFirst()
                .orElse(messages.getFirst())
                .content();
    }
}
