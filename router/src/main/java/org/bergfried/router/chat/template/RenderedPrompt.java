package org.bergfried.router.chat.template;

import java.util.ArrayList;
import java.util.List;

/// The text of a prompt, in pieces that alternate between the template's own text and data.
///
/// @param pieces in order, none empty, neighbours of different provenance
public record RenderedPrompt(List<Piece> pieces) {
    public RenderedPrompt {
        pieces = List.copyOf(pieces);
    }

    /// A run of characters of one provenance.
    ///
    /// @param text the characters
    /// @param literal true if the template (or a token variable) wrote them: only such become special tokens
    public record Piece(String text, boolean literal) {}

    static RenderedPrompt of(Text text) {
        List<Piece> pieces = new ArrayList<>();
        for (int from = 0; from < text.length(); from = text.runEnd(from)) {
            pieces.add(new Piece(text.value().substring(from, text.runEnd(from)), text.literalAt(from)));
        }
        return new RenderedPrompt(pieces);
    }

    /// The whole text.
    public String text() {
        StringBuilder text = new StringBuilder();
        for (Piece piece : pieces) {
            text.append(piece.text());
        }
        return text.toString();
    }
}
