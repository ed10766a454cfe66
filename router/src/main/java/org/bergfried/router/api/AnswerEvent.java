package org.bergfried.router.api;

import org.bergfried.router.chat.ToolCall;
import org.jspecify.annotations.Nullable;

/// One event of an answer. Events depend on the tokens only, never on timing.
public sealed interface AnswerEvent {
    /// The first event.
    ///
    /// @param generationId for Resume.
    /// @param model the served name.
    /// @param seed the seed in use.
    /// @param promptTokens tokens of the prompt.
    /// @param resumable whether the record is stored.
    record Started(String generationId, String model, long seed, int promptTokens, boolean resumable)
            implements AnswerEvent {}

    /// More of the answer.
    ///
    /// @param position of the last token that it comes from.
    /// @param reasoning reasoning text, may be empty.
    /// @param content answer text, may be empty.
    /// @param toolCall a whole call, or null.
    record Delta(
            int position,
            String reasoning,
            String content,
            @Nullable ToolCall toolCall) implements AnswerEvent {}

    /// The last event.
    ///
    /// @param reason stop, length or tool_calls.
    /// @param promptTokens tokens of the prompt.
    /// @param completionTokens tokens of the answer, the end token included.
    record Finished(String reason, int promptTokens, int completionTokens) implements AnswerEvent {}
}
