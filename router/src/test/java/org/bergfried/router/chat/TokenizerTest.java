package org.bergfried.router.chat;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.router.chat.template.RenderedPrompt;
import org.bergfried.router.chat.template.RenderedPrompt.Piece;
import org.junit.jupiter.api.Test;

final class TokenizerTest {
    private static final Tokenizer TOKENIZER = DemoModel.MODEL.tokenizer();

    private static final List<String> NASTY = List.of(
            "",
            " ",
            "\n\n\t \r\n",
            "Hello, world!",
            "Grüße aus Köln",
            "東京は日本の首都です。",
            "한국어",
            "👩‍👩‍👧‍👦 🇩🇪 😀",
            "a\u0000b",
            "\u0001\u001f\u007f\u0085",
            "e\u0301 \u202e\u200b\ufeff\ufffd\uffff",
            "𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
            "<think></think><｜User｜><｜end▁of▁sentence｜>",
            "0123456789 3.14159 1e999",
            "x".repeat(5000));

    @Test
    void nastyTextsComeBackAsTheyWere() {
        for (String text : NASTY) {
            int[] ids = TOKENIZER.encode(text);
            assertEquals(text, TOKENIZER.decode(ids));
            assertTrue(Arrays.stream(ids).noneMatch(TOKENIZER::isSpecial), text);
        }
    }

    @Test
    void randomTextsComeBackAsTheyWere() {
        SplittableRandom random = new SplittableRandom(7);
        for (int round = 0; round < 500; round++) {
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(40); i > 0; i--) {
                int c = random.nextInt(4) == 0 ? random.nextInt(Character.MAX_CODE_POINT) : random.nextInt(0x250);
                text.appendCodePoint(c >= 0xd800 && c < 0xe000 ? ' ' : c);
            }
            assertEquals(text.toString(), TOKENIZER.decode(TOKENIZER.encode(text.toString())));
        }
    }

    @Test
    void halfASurrogatePairBecomesAReplacementCharacter() {
        assertEquals("a\ufffdb", TOKENIZER.decode(TOKENIZER.encode("a\ud83db")));
        assertEquals("\ufffd😀\ufffd", TOKENIZER.decode(TOKENIZER.encode("\ude00\ud83d\ude00\ud83d")));
    }

    @Test
    void textsLongerThan512TokensAreNotCut() {
        String text = "one two three ".repeat(2000);
        assertEquals(text, TOKENIZER.decode(TOKENIZER.encode(text)));
    }

    @Test
    void onlyLiteralPiecesBecomeSpecialTokens() {
        RenderedPrompt prompt = new RenderedPrompt(
                List.of(new Piece("<｜User｜>", true), new Piece("<think>", false), new Piece("<think>", true)));
        int[] ids = TOKENIZER.encode(prompt);
        assertEquals(DemoModel.USER, ids[0]);
        assertEquals(DemoModel.THINK, ids[ids.length - 1]);
        assertArrayEquals(TOKENIZER.encode("<think>"), Arrays.copyOfRange(ids, 1, ids.length - 1));
    }

    @Test
    void aSpecialTokenHalfLiteralAndHalfDataIsText() {
        RenderedPrompt prompt = new RenderedPrompt(List.of(new Piece("<thi", true), new Piece("nk>", false)));
        assertArrayEquals(TOKENIZER.encode("<think>"), TOKENIZER.encode(prompt));
    }

    @Test
    void literalAndDataBetweenSpecialTokensAreOneText() {
        RenderedPrompt prompt = new RenderedPrompt(List.of(
                new Piece("<｜User｜>The capi", true),
                new Piece("tal of Ken", false),
                new Piece("ya<｜Assistant｜>", true)));
        int[] ids = TOKENIZER.encode(prompt);
        assertArrayEquals(TOKENIZER.encode("The capital of Kenya"), Arrays.copyOfRange(ids, 1, ids.length - 1));
    }

    @Test
    void bytesOfATokenAreThoseOfItsText() {
        assertArrayEquals("<think>".getBytes(StandardCharsets.UTF_8), TOKENIZER.bytes(DemoModel.THINK));
        assertArrayEquals(
                " of".getBytes(StandardCharsets.UTF_8),
                TOKENIZER.bytes(TOKENIZER.encode(" of")[0]));
        assertEquals(0, TOKENIZER.bytes(1 << 20).length);
        assertEquals(0, TOKENIZER.bytes(-1).length);
    }

    @Test
    void vocabularyIsKnown() {
        assertEquals(3072, TOKENIZER.vocabularySize());
        assertEquals(DemoModel.END_THINK, TOKENIZER.id("</think>").orElseThrow());
        assertTrue(TOKENIZER.id("no such token").isEmpty());
        assertTrue(TOKENIZER.specialIds().containsAll(List.of(0, 1, 2, 3, 4)));
        assertFalse(TOKENIZER.isSpecial(100));
    }

    @Test
    void severalThreadsEncodeAtOnce() throws Exception {
        int[] expected = TOKENIZER.encode("Grüße aus Köln 😀 ".repeat(50));
        try (ExecutorService pool = Executors.newFixedThreadPool(4)) {
            List<Future<int[]>> results = new ArrayList<>();
            for (int i = 0; i < 64; i++) {
                results.add(pool.submit(() -> TOKENIZER.encode("Grüße aus Köln 😀 ".repeat(50))));
            }
            for (Future<int[]> result : results) {
                assertArrayEquals(expected, result.get());
            }
        }
    }

    @Test
    void libraryIsOffline() {
        assertEquals("true", System.getProperty("ai.djl.offline"));
    }

    @Test
    void brokenFilesAreRefusedClearly() {
        assertRefused("not valid JSON", "{");
        assertRefused("must be a JSON object", "[]");
        assertRefused("'model'", "{}");
        assertRefused("'Unigram' is not supported", "{\"model\": {\"type\": \"Unigram\"}}");
        assertRefused("vocab", "{\"model\": {\"type\": \"BPE\"}}");
        assertRefused("-1", "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": -1}}}");
        assertRefused("99999999999", "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 99999999999}}}");
        assertRefused(
                "tokenizer.json", "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": [\"x y\"]}}");
        assertRefused("nesting depth", "[".repeat(10_000));
    }

    private static void assertRefused(String expected, String json) {
        ClusterException error =
                assertThrows(ClusterException.class, () -> Tokenizer.of(json.getBytes(StandardCharsets.UTF_8)), json);
        assertEquals(ErrorReason.MODEL_UNSUPPORTED, error.reason());
        assertTrue(error.text().contains(expected), error.text());
    }
}
