package org.bergfried.router.chat;

/// The ids of the tokens that structure an answer, -1 for one that the model does not have. They are found by id before
/// anything becomes text, so text that looks like a marker is none.
///
/// @param think begins reasoning
/// @param endThink ends reasoning
/// @param calls begins the list of tool calls
/// @param call begins a tool call, first its name
/// @param separator stands between name and arguments
/// @param endCall ends a tool call
/// @param endCalls ends the list
record AnswerMarkers(int think, int endThink, int calls, int call, int separator, int endCall, int endCalls) {
    /// For text without structure.
    static final AnswerMarkers NONE = new AnswerMarkers(-1, -1, -1, -1, -1, -1, -1);

    /// The markers of DeepSeek's models; most others share the first two.
    static AnswerMarkers of(Tokenizer tokenizer) {
        return new AnswerMarkers(
                id(tokenizer, "<think>"),
                id(tokenizer, "</think>"),
                id(tokenizer, "<｜tool▁calls▁begin｜>"),
                id(tokenizer, "<｜tool▁call▁begin｜>"),
                id(tokenizer, "<｜tool▁sep｜>"),
                id(tokenizer, "<｜tool▁call▁end｜>"),
                id(tokenizer, "<｜tool▁calls▁end｜>"));
    }

    private static int id(Tokenizer tokenizer, String text) {
        return tokenizer.id(text).orElse(-1);
    }

    boolean contains(int id) {
        return id >= 0
                && (id == think
                        || id == endThink
                        || id == calls
                        || id == call
                        || id == separator
                        || id == endCall
                        || id == endCalls);
    }
}
