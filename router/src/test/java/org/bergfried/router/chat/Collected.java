package org.bergfried.router.chat;

import java.util.ArrayList;
import java.util.List;

/// All deltas of an answer and what a client puts together from them.
record Collected(List<Delta> deltas) {
    static Collected of(AnswerParser parser, int... tokens) {
        List<Delta> deltas = new ArrayList<>();
        for (int i = 0; i < tokens.length; i++) {
            Delta delta = parser.next(tokens[i], i);
            if (delta != null) {
                deltas.add(delta);
            }
        }
        Delta last = parser.end();
        if (last != null) {
            deltas.add(last);
        }
        return new Collected(deltas);
    }

    String reasoning() {
        StringBuilder text = new StringBuilder();
        deltas.forEach(delta -> text.append(delta.reasoning()));
        return text.toString();
    }

    String content() {
        StringBuilder text = new StringBuilder();
        deltas.forEach(delta -> text.append(delta.content()));
        return text.toString();
    }

    List<Integer> positions() {
        return deltas.stream().map(Delta::position).toList();
    }

    List<Delta.ToolCallPiece> toolCalls() {
        return deltas.stream().flatMap(delta -> delta.toolCalls().stream()).toList();
    }
}
