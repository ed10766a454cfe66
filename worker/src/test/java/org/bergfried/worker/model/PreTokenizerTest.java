package org.bergfried.worker.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Cuts text with the patterns by Java's regular expressions, which agree with Oniguruma's in what is used here but
/// for
/// the name of a script.
final class PreTokenizerTest {
    @ParameterizedTest
    @CsvSource({
        "qwen2, ' HelloWorld| don|''t| |1|2|3|4|5'",
        "hunyuan, ' HelloWorld| don|''t| |1|2|3|4|5'",
        "llama-bpe, ' HelloWorld| don|''t| |123|45'",
        "glm4, ' HelloWorld| don|''t| |123|45'",
        "gpt-4o, ' Hello|World| don''t| |123|45'",
        "minimax-m2, ' Hello|World| don''t| |123|45'",
        "kimi-k2, ' Hello|World| don''t| |123|45'",
        "tekken, ' Hello|World| don|''t| |1|2|3|4|5'",
    })
    void cutsWordsNumbersAndContractions(String name, String pieces) {
        assertEquals(pieces, String.join("|", cut(name, " HelloWorld don't 12345")));
    }

    @Test
    void keepsHanCharactersApartForKimi() {
        assertEquals(List.of("a", "漢字", "kanji", "漢", "b"), cut("kimi-k2", "a漢字kanji漢b"));
        assertEquals(List.of("a漢字kanji漢b"), cut("gpt-4o", "a漢字kanji漢b"));
    }

    @Test
    void keepsSlashesAndLinesWithPunctuation() {
        assertEquals(List.of("a", " =/\n/", "b"), cut("gpt-4o", "a =/\n/b"));
        assertEquals(List.of("a", " =/\n", "/b"), cut("kimi-k2", "a =/\n/b"));
    }

    @Test
    void doesNotGuessAnUnknownName() {
        assertNull(PreTokenizer.named("exaone-moe"));
    }

    private static List<String> cut(String name, String text) {
        PreTokenizer pre = Objects.requireNonNull(PreTokenizer.named(name), name);
        List<String> pieces = List.of(text);
        for (String pattern : pre.patterns()) {
            pieces = pieces.stream()
                    .flatMap(piece -> isolate(pattern, piece).stream())
                    .toList();
        }
        return pieces;
    }

    /// Matches and what is between them.
    private static List<String> isolate(String pattern, String text) {
        Matcher matcher =
                Pattern.compile(pattern.replace("\\p{Han}", "\\p{IsHan}")).matcher(text);
        List<String> pieces = new ArrayList<>();
        int end = 0;
        while (matcher.find()) {
            if (matcher.start() > end) {
                pieces.add(text.substring(end, matcher.start()));
            }
            pieces.add(matcher.group());
            end = matcher.end();
        }
        if (end < text.length()) {
            pieces.add(text.substring(end));
        }
        return pieces;
    }
}
