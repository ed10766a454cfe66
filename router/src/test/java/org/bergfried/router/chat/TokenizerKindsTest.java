package org.bergfried.router.chat;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bergfried.router.chat.template.RenderedPrompt;
import org.bergfried.router.chat.template.RenderedPrompt.Piece;
import org.junit.jupiter.api.Test;

/// Small tokenizers of other kinds than the demo model's, written here.
final class TokenizerKindsTest {
    private static final int BYTES = 3;

    private static Map<String, Object> added(int id, String content, boolean special, boolean rstrip) {
        return Map.of(
                "id", id,
                "content", content,
                "special", special,
                "normalized", false,
                "lstrip", false,
                "rstrip", rstrip,
                "single_word", false);
    }

    /// SentencePiece's form with byte fallback: ids 0 to 2 special, then 256 bytes, then pieces.
    private static Map<String, Object> sentencePiece(Map<String, Object> preTokenizer, Map<String, Object> normalizer) {
        Map<String, Object> vocabulary = new LinkedHashMap<>(Map.of("<unk>", 0, "<s>", 1, "</s>", 2));
        for (int i = 0; i < 256; i++) {
            vocabulary.put("<0x%02X>".formatted(i), BYTES + i);
        }
        for (String piece : List.of("▁", "a", "b", "▁a", "ab", "▁ab")) {
            vocabulary.put(piece, vocabulary.size());
        }
        Map<String, Object> model = new LinkedHashMap<>();
        model.put("type", "BPE");
        model.put("unk_token", "<unk>");
        model.put("fuse_unk", true);
        model.put("byte_fallback", true);
        model.put("vocab", vocabulary);
        model.put("merges", List.of("▁ a", "▁a b", "a b"));
        Map<String, Object> file = new LinkedHashMap<>();
        file.put("version", "1.0");
        file.put(
                "added_tokens",
                List.of(added(0, "<unk>", true, false), added(1, "<s>", true, false), added(2, "</s>", true, true)));
        file.put("normalizer", normalizer.isEmpty() ? null : normalizer);
        file.put("pre_tokenizer", preTokenizer.isEmpty() ? null : preTokenizer);
        file.put(
                "decoder",
                Map.of(
                        "type",
                        "Sequence",
                        "decoders",
                        List.of(
                                Map.of("type", "Replace", "pattern", Map.of("String", "▁"), "content", " "),
                                Map.of("type", "ByteFallback"),
                                Map.of("type", "Fuse"),
                                Map.of("type", "Strip", "content", " ", "start", 1, "stop", 0))));
        file.put("model", model);
        return file;
    }

    private static Map<String, Object> prepending() {
        return sentencePiece(
                Map.of(),
                Map.of(
                        "type",
                        "Sequence",
                        "normalizers",
                        List.of(
                                Map.of("type", "Prepend", "prepend", "▁"),
                                Map.of("type", "Replace", "pattern", Map.of("String", " "), "content", "▁"))));
    }

    private static int piece(int index) {
        return BYTES + 256 + index;
    }

    @Test
    void sentencePieceFallsBackToBytesAndComesBack() {
        Tokenizer tokenizer = Tokenizer.of(JsonTree.write(prepending()));
        assertArrayEquals(new int[] {piece(5), piece(3)}, tokenizer.encode("ab a"));
        for (String text : List.of("ab a", "😀", " a", "a\nb", "<s>a</s>", "ß▁")) {
            String expected = text.replace('▁', ' ');
            assertEquals(expected, tokenizer.decode(tokenizer.encode(text)));
        }
        assertArrayEquals(new byte[] {(byte) 0xf0}, tokenizer.bytes(BYTES + 0xf0));
        assertArrayEquals(new byte[] {' ', 'a'}, tokenizer.bytes(piece(3)));
    }

    @Test
    void blanksAfterATokenThatTakesThemVanish() {
        Tokenizer tokenizer = Tokenizer.of(JsonTree.write(prepending()));
        int[] ids = tokenizer.encode(new RenderedPrompt(List.of(new Piece("<s>ab</s>  ab", true))));
        assertArrayEquals(new int[] {1, piece(5), 2, piece(5)}, ids);
    }

    @Test
    void aPrefixForTheFirstPartOnlyIsNotGivenToLaterParts() {
        Map<String, Object> first =
                Map.of("type", "Metaspace", "replacement", "▁", "prepend_scheme", "first", "split", false);
        Tokenizer tokenizer = Tokenizer.of(JsonTree.write(sentencePiece(first, Map.of())));
        int[] ids = tokenizer.encode(new RenderedPrompt(List.of(new Piece("ab<s>ab", true))));
        assertArrayEquals(new int[] {piece(5), 1, piece(4)}, ids);
    }

    @Test
    void allLiteralTextIsEncodedAsTheLibraryDoesWithItsOwnAddedTokens() {
        List<byte[]> files = List.of(JsonTree.write(prepending()), DemoModel.resource("tokenizer.json"));
        for (byte[] file : files) {
            Tokenizer tokenizer = Tokenizer.of(file);
            NativeTokenizer whole = new NativeTokenizer(file);
            for (String text : List.of(
                    "<s>ab</s> \n ab<unk>",
                    "ab",
                    "<think>Kenya</think> is<｜User｜>x\n\n<｜Assistant｜>",
                    "<thin<think>k>")) {
                assertArrayEquals(
                        whole.encode(text), tokenizer.encode(new RenderedPrompt(List.of(new Piece(text, true)))), text);
            }
        }
    }

    @Test
    void anAddedTokenThatIsAWholeWordOfTheModelIsNotFoundInText() {
        Map<String, Object> model = new LinkedHashMap<>();
        model.put("type", "BPE");
        model.put("ignore_merges", true);
        model.put("vocab", Map.of("a", 0, "b", 1, "ab", 2, "ba", 3));
        model.put("merges", List.of("a b"));
        Map<String, Object> file = new LinkedHashMap<>();
        file.put("version", "1.0");
        file.put("added_tokens", List.of(added(3, "ba", true, false)));
        file.put(
                "decoder",
                Map.of("type", "ByteLevel", "add_prefix_space", false, "trim_offsets", true, "use_regex", true));
        file.put("model", model);
        Tokenizer tokenizer = Tokenizer.of(JsonTree.write(file));
        assertArrayEquals(new int[] {1, 0}, tokenizer.encode("ba"));
        assertArrayEquals(new int[] {3}, tokenizer.encode(new RenderedPrompt(List.of(new Piece("ba", true)))));
    }

    @Test
    void addedRunsOfBlanksAreKnownInText() {
        Map<String, Object> file = new LinkedHashMap<>(prepending());
        List<Object> tokens = new ArrayList<>((List<?>) file.get("added_tokens"));
        int id = piece(6);
        tokens.add(added(id, "    ", false, false));
        file.put("added_tokens", tokens);
        Tokenizer tokenizer = Tokenizer.of(JsonTree.write(file));
        assertTrue(Arrays.stream(tokenizer.encode("a    b")).anyMatch(one -> one == id));
    }
}
