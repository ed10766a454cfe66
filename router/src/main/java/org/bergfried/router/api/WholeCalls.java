package org.bergfried.router.api;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bergfried.router.chat.Delta;
import org.bergfried.router.chat.Delta.ToolCallPiece;
import org.jspecify.annotations.Nullable;

/// Joins the pieces of tool calls, for callers that want each call whole. A call goes with the first delta that is
/// no longer a piece of it, or with the end.
final class WholeCalls {
    private @Nullable ToolCallPiece open;

    /// The delta with whole calls in the place of pieces; empty if nothing is left of it for now.
    Optional<Delta> join(Delta delta) {
        List<ToolCallPiece> whole = new ArrayList<>();
        boolean hasText = !delta.reasoning().isEmpty() || !delta.content().isEmpty();
        for (ToolCallPiece piece : delta.toolCalls()) {
            if (open != null && open.index() == piece.index()) {
                open = new ToolCallPiece(
                        open.index(), open.id(), open.name(), open.arguments().concat(piece.arguments()));
            } else {
                closeInto(whole);
                open = piece;
            }
        }
        if (delta.toolCalls().isEmpty() && hasText) {
            closeInto(whole);
        }
        return hasText || !whole.isEmpty()
                ? Optional.of(new Delta(delta.position(), delta.reasoning(), delta.content(), whole))
                : Optional.empty();
    }

    /// The call that is still open when the answer ends.
    ///
    /// @param position one that no delta has had.
    Optional<Delta> end(int position) {
        List<ToolCallPiece> whole = new ArrayList<>();
        closeInto(whole);
        return whole.isEmpty() ? Optional.empty() : Optional.of(new Delta(position, "", "", whole));
    }

    private void closeInto(List<ToolCallPiece> whole) {
        if (open != null) {
            whole.add(open);
            open = null;
        }
    }
}
