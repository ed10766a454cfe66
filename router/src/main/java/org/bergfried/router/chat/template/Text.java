package org.bergfried.router.chat.template;

import java.util.Arrays;
import java.util.function.UnaryOperator;

/// A string that knows of each character whether it is the template's own (literal) or came from data.
///
/// Texts are equal when their characters are: where they came from is invisible to the template.
final class Text implements Value {
    private static final int[] ALL_DATA = {};
    private static final int[] ALL_LITERAL = {0};

    static final Text EMPTY = new Text("", ALL_DATA);

    private final String value;
    // UTF-16 indexes, rising, at which the provenance changes; the text starts as data.
    private final int[] borders;

    private Text(String value, int[] borders) {
        this.value = value;
        this.borders = borders;
    }

    static Text literal(String value) {
        return value.isEmpty() ? EMPTY : new Text(value, ALL_LITERAL);
    }

    static Text data(String value) {
        return value.isEmpty() ? EMPTY : new Text(value, ALL_DATA);
    }

    String value() {
        return value;
    }

    int length() {
        return value.length();
    }

    boolean isEmpty() {
        return value.isEmpty();
    }

    /// Characters as Python counts them.
    int codePointCount() {
        return value.codePointCount(0, value.length());
    }

    boolean literalAt(int index) {
        int found = Arrays.binarySearch(borders, index);
        int bordersUpToIndex = found >= 0 ? found + 1 : -found - 1;
        return bordersUpToIndex % 2 == 1;
    }

    /// The first index after `index` at which the provenance changes, or the length.
    int runEnd(int index) {
        int found = Arrays.binarySearch(borders, index);
        int next = found >= 0 ? found + 1 : -found - 1;
        return next < borders.length ? Math.min(borders[next], value.length()) : value.length();
    }

    /// The part between two UTF-16 indexes.
    Text slice(int from, int to) {
        if (from >= to) {
            return EMPTY;
        }
        if (from == 0 && to == value.length()) {
            return this;
        }
        return new Builder().append(this, from, to).build();
    }

    Text slice(int from) {
        return slice(from, value.length());
    }

    Text plus(Text other) {
        return new Builder().append(this).append(other).build();
    }

    /// Maps each run of one provenance by itself, as case filters need it.
    Text mapRuns(UnaryOperator<String> change) {
        Builder builder = new Builder();
        for (int from = 0; from < value.length(); from = runEnd(from)) {
            builder.append(change.apply(value.substring(from, runEnd(from))), literalAt(from));
        }
        return builder.build();
    }

    Text strip(boolean left, boolean right, String characters) {
        int from = 0;
        int to = value.length();
        while (left && from < to && characters.indexOf(value.codePointAt(from)) >= 0) {
            from += Character.charCount(value.codePointAt(from));
        }
        while (right && from < to && characters.indexOf(value.codePointBefore(to)) >= 0) {
            to -= Character.charCount(value.codePointBefore(to));
        }
        return slice(from, to);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Text text && value.equals(text.value);
    }

    @Override
    public int hashCode() {
        return value.hashCode();
    }

    @Override
    public String toString() {
        return value;
    }

    /// Builds a text from pieces.
    static final class Builder {
        private final StringBuilder chars = new StringBuilder();
        private int[] borders = new int[4];
        private int borderCount;

        Builder append(String piece, boolean literal) {
            if (!piece.isEmpty()) {
                mark(literal);
                chars.append(piece);
            }
            return this;
        }

        Builder append(Text text) {
            return append(text, 0, text.length());
        }

        Builder append(Text text, int from, int to) {
            int at = from;
            while (at < to) {
                int end = Math.min(to, text.runEnd(at));
                mark(text.literalAt(at));
                chars.append(text.value, at, end);
                at = end;
            }
            return this;
        }

        int length() {
            return chars.length();
        }

        Text build() {
            return chars.isEmpty() ? EMPTY : new Text(chars.toString(), Arrays.copyOf(borders, borderCount));
        }

        private void mark(boolean literal) {
            boolean literalNow = borderCount % 2 == 1;
            if (literal == literalNow) {
                return;
            }
            if (borderCount == borders.length) {
                borders = Arrays.copyOf(borders, 2 * borderCount);
            }
            borders[borderCount++] = chars.length();
        }
    }
}
