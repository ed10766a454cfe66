package org.bergfried.router.api.http;

import java.util.ArrayList;
import java.util.List;
import org.bergfried.router.chat.Delta;
import org.bergfried.router.chat.Delta.ToolCallPiece;

/// Collects the deltas of an answer that is given whole. Its tool calls arrive whole.
final class WholeAnswer {
    private final StringBuilder reasoning = new StringBuilder();
    private final StringBuilder content = new StringBuilder();
    private final List<ToolCallPiece> calls = new ArrayList<>();

    void add(Delta delta) {
        reasoning.append(delta.reasoning());
        content.append(delta.content());
        calls.addAll(delta.toolCalls());
    }

    String reasoning() {
        return reasoning.toString();
    }

    String content() {
        return content.toString();
    }

    List<ToolCallPiece> calls() {
        return calls;
    }
}
