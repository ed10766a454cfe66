package org.bergfried.router.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.Limits;
import org.junit.jupiter.api.Test;

final class StopStringsTest {
    private static String run(List<String> stops, List<String> pieces) {
        StopStrings cutter = new StopStrings(stops);
        StringBuilder shown = new StringBuilder();
        for (String piece : pieces) {
            shown.append(cutter.next(piece));
        }
        return shown.append(cutter.end()) + "|" + cutter.matched();
    }

    @Test
    void cutsBeforeTheStopStringAcrossPieces() {
        assertEquals("ab|xyz", run(List.of("xyz"), List.of("ab", "x", "y", "zc", "d")));
    }

    @Test
    void givesBackWhatDidNotBecomeAStopString() {
        assertEquals("abxyab|null", run(List.of("xyz"), List.of("abx", "y", "ab")));
        assertEquals("xy|null", run(List.of("xyz"), List.of("x", "y")));
    }

    @Test
    void overlappingBeginningsAreFound() {
        assertEquals("a|aab", run(List.of("aab"), List.of("a", "a", "a", "b")));
        assertEquals("xab|abac", run(List.of("abac"), List.of("xab", "ab", "ac")));
    }

    @Test
    void theOneCompleteFirstCountsAndOfThoseTheLongest() {
        assertEquals("a|bc", run(List.of("bcde", "bc"), List.of("abcde")));
        assertEquals("|abc", run(List.of("bc", "abc"), List.of("abcd")));
    }

    @Test
    void showsAtOnceWhatCannotBecomeAStopString() {
        StopStrings cutter = new StopStrings(List.of("xyz"));
        assertEquals("abc", cutter.next("abc"));
        assertEquals("", cutter.next("xy"));
        assertEquals("xyx", cutter.next("xx".substring(1) + "a").substring(0, 3));
    }

    @Test
    void resultDoesNotDependOnHowTheTextIsDivided() {
        SplittableRandom random = new SplittableRandom(20261125);
        for (int round = 0; round < 3000; round++) {
            List<String> stops = new ArrayList<>();
            for (int i = random.nextInt(4); i >= 0; i--) {
                stops.add(word(random, 1 + random.nextInt(4)));
            }
            String text = word(random, random.nextInt(14));
            List<String> pieces = new ArrayList<>();
            for (int from = 0; from < text.length(); ) {
                int to = Math.min(text.length(), from + 1 + random.nextInt(4));
                pieces.add(text.substring(from, to));
                from = to;
            }
            String whole = run(stops, List.of(text));
            assertEquals(whole, run(stops, pieces), () -> text + " " + stops + " " + pieces);
            assertEquals(expected(stops, text), whole, () -> text + " " + stops);
        }
    }

    /// Looks at every end, character by character.
    private static String expected(List<String> stops, String text) {
        for (int end = 1; end <= text.length(); end++) {
            String soFar = text.substring(0, end);
            List<String> fits = stops.stream().filter(soFar::endsWith).toList();
            if (!fits.isEmpty()) {
                String longest = Collections.max(fits, (a, b) -> Integer.compare(a.length(), b.length()));
                return text.substring(0, end - longest.length()) + "|" + longest;
            }
        }
        return text + "|null";
    }

    private static String word(SplittableRandom random, int length) {
        StringBuilder word = new StringBuilder();
        for (int i = 0; i < length; i++) {
            word.append((char) ('a' + random.nextInt(2)));
        }
        return word.toString();
    }

    @Test
    void emptyTooLongAndTooManyAreRefused() {
        assertThrows(ClusterException.class, () -> new StopStrings(List.of("")));
        assertThrows(ClusterException.class, () -> new StopStrings(List.of("x".repeat(Limits.STOP_STRING_CHARS + 1))));
        assertThrows(ClusterException.class, () -> new StopStrings(Collections.nCopies(Limits.STOP_STRINGS + 1, "x")));
    }
}
