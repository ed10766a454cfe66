package org.bergfried.router.chat;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What one token of an answer (or its end) adds to what the client has. It depends on the tokens alone, so every
/// router
/// that reads the same tokens from the first on gives the same deltas.
///
/// @param position the position of the token that completed it; no two deltas of an answer have the same
/// @param reasoning text of the reasoning, often empty
/// @param content text of the answer, often empty
/// @param toolCalls pieces of tool calls, often none
public record Delta(int position, String reasoning, String content, List<ToolCallPiece> toolCalls) {
    /// A piece of a tool call. The first piece of a call has its id and name, the others have more of its arguments.
    ///
    /// @param index counts the calls of an answer, from 0
    /// @param id the call's id in its first piece, else null
    /// @param name the function in the first piece, else null
    /// @param arguments the next characters of the arguments' JSON
    public record ToolCallPiece(
            int index, @Nullable String id, @Nullable String name, String arguments) {}

    public Delta {
        toolCalls = List.copyOf(toolCalls);
    }

    /// Whether there is nothing in it.
    boolean isEmpty() {
        return reasoning.isEmpty() && content.isEmpty() && toolCalls.isEmpty();
    }
}
