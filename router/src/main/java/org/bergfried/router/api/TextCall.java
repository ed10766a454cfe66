package org.bergfried.router.api;

import org.bergfried.contract.cluster.TokenIds;

/// A text or token ids to be continued without a template.
///
/// @param model the served name; empty takes the only model.
/// @param prompt what to continue.
/// @param options how the continuation is drawn.
public record TextCall(String model, Prompt prompt, AnswerOptions options) {
    /// What to continue.
    public sealed interface Prompt {
        /// A text, encoded without special tokens.
        record Text(String text) implements Prompt {}

        /// Token ids.
        record Ids(TokenIds ids) implements Prompt {}
    }
}
