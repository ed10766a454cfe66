package org.bergfried.router.api;

import java.util.List;
import org.bergfried.router.chat.Delta;

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
    /// @param delta what one token adds.
    record More(Delta delta) implements AnswerEvent {}

    /// The last event.
    ///
    /// @param reason stop, length or tool_calls.
    /// @param promptTokens tokens of the prompt.
    /// @param completionTokens tokens of the answer, the end token included.
    /// @param homes the workers that were its home, in order: more than one if it was moved.
    record Finished(String reason, int promptTokens, int completionTokens, List<String> homes) implements AnswerEvent {
        /// Copies.
        public Finished {
            homes = List.copyOf(homes);
        }
    }
}
