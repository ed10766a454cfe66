package org.bergfried.router.chat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Finds added tokens in a text as Hugging Face's tokenizers do: the leftmost, and of those the longest.
final class AddedTokenFinder {
    /// A token that was found, and the range it takes out of the text.
    record Found(AddedToken token, int from, int to) {}

    // By first character, longest first.
    private final Map<Character, List<AddedToken>> tokens = new HashMap<>();

    AddedTokenFinder(List<AddedToken> added) {
        for (AddedToken token : added) {
            if (!token.isBlank()) {
                tokens.computeIfAbsent(token.content().charAt(0), _ -> new ArrayList<>())
                        .add(token);
            }
        }
        Comparator<AddedToken> byLength =
                Comparator.comparingInt(token -> token.content().length());
        tokens.values().forEach(list -> list.sort(byLength.reversed()));
    }

    /// All tokens that lie within literal characters, in order.
    ///
    /// @param text the text
    /// @param literalEnds for each index of the text the end of the literal run that it is in, or 0 if it is data
    List<Found> find(String text, int[] literalEnds) {
        List<Found> found = new ArrayList<>();
        int at = 0;
        int taken = 0;
        while (at < text.length()) {
            AddedToken token = literalEnds[at] == 0 ? null : at(text, at, literalEnds[at]);
            if (token == null) {
                at++;
                continue;
            }
            int from = at;
            int to = at + token.content().length();
            while (token.takesBlanksBefore() && from > taken && Character.isWhitespace(text.charAt(from - 1))) {
                from--;
            }
            while (token.takesBlanksAfter() && to < text.length() && Character.isWhitespace(text.charAt(to))) {
                to++;
            }
            found.add(new Found(token, from, to));
            at = to;
            taken = to;
        }
        return found;
    }

    private @Nullable AddedToken at(String text, int at, int literalEnd) {
        for (AddedToken token : tokens.getOrDefault(text.charAt(at), List.of())) {
            int end = at + token.content().length();
            if (end <= literalEnd && text.startsWith(token.content(), at) && fits(token, text, at, end)) {
                return token;
            }
        }
        return null;
    }

    private static boolean fits(AddedToken token, String text, int from, int to) {
        return !token.wholeWord()
                || ((from == 0 || !Character.isLetterOrDigit(text.charAt(from - 1)))
                        && (to == text.length() || !Character.isLetterOrDigit(text.charAt(to))));
    }
}
