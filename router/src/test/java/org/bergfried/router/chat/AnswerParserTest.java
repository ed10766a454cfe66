package org.bergfried.router.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class AnswerParserTest {
    private static final Tokenizer TOKENIZER = DemoModel.MODEL.tokenizer();
    private static final int[] PLAIN_PROMPT = {DemoModel.ASSISTANT, DemoModel.THINK, DemoModel.END_THINK};
    private static final int[] OPEN_PROMPT = {DemoModel.ASSISTANT, DemoModel.THINK};

    private static AnswerParser parser(int[] prompt, String... stops) {
        return DemoModel.MODEL.parser("gen-1", prompt, List.of(stops));
    }

    /// Tokens of texts, and marker ids as they are.
    private static int[] tokens(Object... parts) {
        IdList ids = new IdList();
        for (Object part : parts) {
            if (part instanceof String text) {
                ids.addAll(TOKENIZER.encode(text));
            } else {
                ids.add((Integer) part);
            }
        }
        return ids.toArray();
    }

    @Test
    void reasoningAndContentAreApartAndMarkersNeverAppear() {
        Collected got = Collected.of(
                parser(OPEN_PROMPT), tokens("I think.", DemoModel.END_THINK, "The answer.", DemoModel.EOS));
        assertEquals("I think.", got.reasoning());
        assertEquals("The answer.", got.content());
    }

    @Test
    void reasoningMayOpenInTheMiddleOfAnAnswer() {
        Collected got = Collected.of(parser(PLAIN_PROMPT), tokens("a", DemoModel.THINK, "b", DemoModel.END_THINK, "c"));
        assertEquals("b", got.reasoning());
        assertEquals("ac", got.content());
    }

    @Test
    void textThatLooksLikeAMarkerIsText() {
        String text = "</think><｜tool▁calls▁begin｜>";
        Collected got = Collected.of(parser(OPEN_PROMPT), tokens(text));
        assertEquals(text, got.reasoning());
    }

    @Test
    void lineBreaksAroundTheMarkersAreMarkup() {
        Collected got = Collected.of(parser(OPEN_PROMPT), tokens("\n\na\n", DemoModel.END_THINK, "\n\n", "\nb\n"));
        assertEquals("a\n", got.reasoning());
        assertEquals("b\n", got.content());
        assertEquals("\nb", Collected.of(parser(PLAIN_PROMPT), tokens("\nb")).content());
    }

    @Test
    void eachDeltaHasThePositionOfItsTokenAndNoTwoShareOne() {
        int[] tokens = tokens("Grüße 😀 aus", DemoModel.END_THINK, "Köln 😀", DemoModel.EOS);
        Collected got = Collected.of(parser(OPEN_PROMPT, "never"), tokens);
        assertEquals(got.positions().stream().distinct().sorted().toList(), got.positions());
        AnswerParser parser = parser(OPEN_PROMPT);
        for (int i = 0; i < tokens.length; i++) {
            Delta delta = parser.next(tokens[i], i);
            assertTrue(delta == null || delta.position() == i);
        }
    }

    @Test
    void halfACharacterIsHeldBackUntilItIsWhole() {
        int[] tokens = TOKENIZER.encode("😀");
        assertTrue(tokens.length > 1);
        Collected got = Collected.of(parser(PLAIN_PROMPT), tokens);
        assertEquals(List.of(tokens.length - 1), got.positions());
        assertEquals("😀", got.content());
    }

    @Test
    void halfACharacterAtTheEndBecomesAReplacementCharacter() {
        int[] tokens = TOKENIZER.encode("😀");
        assertEquals(
                "\ufffd",
                Collected.of(parser(PLAIN_PROMPT), IntStream.of(tokens).limit(1).toArray())
                        .content());
        Collected split = Collected.of(parser(OPEN_PROMPT), tokens(tokens[0], DemoModel.END_THINK, "x"));
        assertEquals("\ufffd", split.reasoning());
        assertEquals("x", split.content());
    }

    @Test
    void toolCallsStreamWithDerivedIds() {
        Collected got = Collected.of(
                parser(PLAIN_PROMPT),
                tokens(
                        "Let me see.",
                        DemoModel.CALLS,
                        DemoModel.CALL,
                        "get_weather",
                        DemoModel.SEPARATOR,
                        "{\"city\": \"Köln\"}",
                        DemoModel.END_CALL,
                        DemoModel.CALL,
                        "now",
                        DemoModel.SEPARATOR,
                        "{}",
                        DemoModel.END_CALL,
                        DemoModel.END_CALLS,
                        DemoModel.EOS));
        assertEquals("Let me see.", got.content());
        List<String> names = new ArrayList<>();
        List<String> ids = new ArrayList<>();
        StringBuilder first = new StringBuilder();
        StringBuilder second = new StringBuilder();
        for (Delta.ToolCallPiece piece : got.toolCalls()) {
            if (piece.name() != null) {
                names.add(piece.name());
                ids.add(Objects.requireNonNull(piece.id()));
            }
            (piece.index() == 0 ? first : second).append(piece.arguments());
        }
        assertEquals(List.of("get_weather", "now"), names);
        assertEquals("{\"city\": \"Köln\"}", first.toString());
        assertEquals("{}", second.toString());
        assertNotEquals(ids.get(0), ids.get(1));
        assertTrue(ids.get(0).matches("call_[0-9a-f]{24}"), ids.get(0));
    }

    @Test
    void toolCallIdsFollowFromTheGenerationAlone() {
        int[] tokens = tokens(DemoModel.CALLS, DemoModel.CALL, "f", DemoModel.SEPARATOR, "{}", DemoModel.END_CALL);
        Collected one = Collected.of(parser(PLAIN_PROMPT), tokens);
        assertEquals(one, Collected.of(parser(PLAIN_PROMPT), tokens));
        Collected other = Collected.of(DemoModel.MODEL.parser("gen-2", PLAIN_PROMPT, List.of()), tokens);
        assertNotEquals(
                one.toolCalls().getFirst().id(), other.toolCalls().getFirst().id());
    }

    @Test
    void aCallWithoutArgumentsIsACallAndAnUnfinishedNameIsNone() {
        AnswerParser parser = parser(PLAIN_PROMPT);
        Collected got = Collected.of(
                parser, tokens(DemoModel.CALLS, DemoModel.CALL, "f", DemoModel.END_CALL, DemoModel.CALL, "g"));
        assertEquals(1, got.toolCalls().size());
        assertEquals("f", got.toolCalls().getFirst().name());
        assertEquals(1, parser.toolCallCount());
    }

    @Test
    void aStopStringCutsContentAndNothingOfItIsSent() {
        AnswerParser parser = parser(PLAIN_PROMPT, "of Ken");
        Collected got = Collected.of(parser, tokens("The capital of Kenya is Nairobi."));
        assertEquals("The capital ", got.content());
        assertEquals("of Ken", parser.matchedStop());
        assertNull(parser.end());
    }

    @Test
    void stopStringsDoNotApplyToReasoningOrToolCalls() {
        AnswerParser parser = parser(OPEN_PROMPT, "stop");
        Collected got = Collected.of(
                parser,
                tokens(
                        "stop",
                        DemoModel.END_THINK,
                        "a",
                        DemoModel.CALLS,
                        DemoModel.CALL,
                        "stop",
                        DemoModel.SEPARATOR,
                        "stop",
                        DemoModel.END_CALL,
                        DemoModel.END_CALLS));
        assertEquals("stop", got.reasoning());
        assertEquals("a", got.content());
        assertEquals(
                "stop stop",
                got.toolCalls().getFirst().name()
                        + " "
                        + String.join(
                                "",
                                got.toolCalls().stream()
                                        .map(Delta.ToolCallPiece::arguments)
                                        .toList()));
        assertNull(parser.matchedStop());
    }

    @Test
    void aStopStringDoesNotBridgeAMarker() {
        AnswerParser parser = parser(PLAIN_PROMPT, "ab");
        assertEquals(
                "ab",
                Collected.of(parser, tokens("a", DemoModel.THINK, DemoModel.END_THINK, "b"))
                        .content());
        assertNull(parser.matchedStop());
    }

    @Test
    void whatWasHeldBackComesAtTheEndWithAPositionOfItsOwn() {
        AnswerParser parser = parser(PLAIN_PROMPT, "Nairobi, yes");
        Collected got = Collected.of(parser, tokens("It is x Nairobi"));
        assertEquals("It is x Nairobi", got.content());
        assertEquals(got.positions().stream().distinct().sorted().toList(), got.positions());
    }

    @Test
    void deltasFromAPositionOnAreThoseOfTheWholeAnswer() {
        int[] tokens = tokens(
                "Grüße 😀",
                DemoModel.END_THINK,
                "\nKöln, der Dom 😀 ist hoch",
                DemoModel.CALLS,
                DemoModel.CALL,
                "f",
                DemoModel.SEPARATOR,
                "{}",
                DemoModel.END_CALL,
                DemoModel.EOS);
        Collected whole = Collected.of(parser(OPEN_PROMPT, "hoch!", "Turm"), tokens);
        for (int from = -1; from <= tokens.length; from++) {
            int after = from;
            Collected again = Collected.of(parser(OPEN_PROMPT, "hoch!", "Turm"), tokens);
            assertEquals(
                    whole.deltas().stream().filter(d -> d.position() > after).toList(),
                    again.deltas().stream().filter(d -> d.position() > after).toList());
        }
        assertNotNull(whole.deltas().getLast());
    }

    @Test
    void aTokenOutOfOrderIsABug() {
        AnswerParser parser = parser(PLAIN_PROMPT);
        parser.next(100, 0);
        assertThrows(IllegalStateException.class, () -> parser.next(100, 2));
    }
}
