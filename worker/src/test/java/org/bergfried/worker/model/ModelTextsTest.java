package org.bergfried.worker.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bergfried.contract.ClusterException;
import org.bergfried.worker.Golden;
import org.bergfried.worker.weights.GgufBytes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ModelTextsTest {
    private static final JsonMapper JSON = new JsonMapper();

    @TempDir
    Path directory;

    @Test
    void joinsTheStopIdsOfAllFiles() throws IOException {
        write("config.json", "{\"eos_token_id\": 9}");
        write("generation_config.json", "{\"eos_token_id\": [4, 9, 2]}");
        write("tokenizer_config.json", "{\"eos_token\": {\"content\": \"<end>\", \"lstrip\": false}}");
        write("tokenizer.json", """
                {"model": {"vocab": {"<end>": 1}},
                 "added_tokens": [{"id": 6, "content": "<begin>"}, {"id": 7, "special": true, "content": "<end>"}]}""");
        assertArrayEquals(new int[] {2, 4, 7, 9}, ModelTexts.open(directory).stopIds());
    }

    @Test
    void takesTokensThatAreTextsOrObjects() throws IOException {
        write("config.json", "{}");
        write(
                "tokenizer_config.json",
                "{\"bos_token\": \"<s>\", \"eos_token\": {\"content\": \"</s>\"}, \"pad_token\": null}");
        ModelTexts texts = ModelTexts.open(directory);
        assertEquals(Map.of("bos_token", "<s>", "eos_token", "</s>"), texts.tokenVariables());
        assertNull(texts.tokenizerJson());
        assertNull(texts.chatTemplate());
        assertEquals(0, texts.stopIds().length);
    }

    @Test
    void takesTheTemplateFromItsFileElseFromTheConfiguration() throws IOException {
        write("config.json", "{}");
        write("tokenizer_config.json", "{\"chat_template\": \"plain\"}");
        assertEquals("plain", ModelTexts.open(directory).chatTemplate());
        write("tokenizer_config.json", """
                {"chat_template": [{"name": "tool_use", "template": "tools"},
                                   {"name": "default", "template": "usual"}]}""");
        assertEquals("usual", ModelTexts.open(directory).chatTemplate());
        write("chat_template.jinja", "own file");
        assertEquals("own file", ModelTexts.open(directory).chatTemplate());
    }

    @Test
    void refusesAStopIdThatIsNone() throws IOException {
        write("config.json", "{\"eos_token_id\": [1, -1]}");
        ClusterException refusal = assertThrows(ClusterException.class, () -> ModelTexts.open(directory));
        assertTrue(refusal.text().contains("config.json: eos_token_id = -1"), refusal.text());
    }

    @Test
    void saysAByteLevelVocabularyAsTokenizerJson() {
        ModelTexts texts = ModelTexts.open(Golden.path("tiny-dsv2-Q4_0.gguf"));
        JsonNode json = json(texts);
        assertEquals("BPE", json.at("/model/type").stringValue());
        assertEquals(2048, json.at("/model/vocab").size());
        assertEquals(1803, json.at("/model/merges").size());
        assertEquals("[\"i\",\"n\"]", json.at("/model/merges/3").toString());
        assertEquals("ByteLevel", json.at("/decoder/type").stringValue());
        assertTrue(json.at("/normalizer").isNull());
        assertEquals(7, json.at("/pre_tokenizer/pretokenizers").size());
        assertEquals("Digits", json.at("/pre_tokenizer/pretokenizers/5/type").stringValue());
        assertEquals(false, json.at("/pre_tokenizer/pretokenizers/6/use_regex").booleanValue());
        JsonNode added = json.at("/added_tokens");
        assertTrue(added.size() > 0);
        assertEquals(
                json.at("/model/vocab").get(added.get(0).get("content").stringValue()),
                added.get(0).get("id"));
    }

    @Test
    void ordersTheMergesOfSentencePieceByScoreThenIds() throws IOException {
        List<String> tokens = List.of("<unk>", "<s>", "a", "b", "ab", "ba", "aba", "\u2581");
        Path file = directory.resolve("pieces.gguf");
        Files.write(
                file,
                new GgufBytes()
                        .text("tokenizer.ggml.model", "llama")
                        .texts("tokenizer.ggml.tokens", tokens)
                        .words("tokenizer.ggml.token_type", 5, 2, 3, 1, 1, 1, 1, 1, 1)
                        .words("tokenizer.ggml.scores", 6, scores(0, 0, -9, -9, -2, -1, -2, -9))
                        .uint32("tokenizer.ggml.bos_token_id", 1)
                        .uint32("tokenizer.ggml.eot_token_id", 4)
                        .text("tokenizer.chat_template", "{{ x }}")
                        .bytes());
        ModelTexts texts = ModelTexts.open(file);
        var merges = new ArrayList<String>();
        json(texts).at("/model/merges").forEach(pair -> merges.add(pair.toString()));
        assertEquals(List.of("[\"b\",\"a\"]", "[\"a\",\"b\"]", "[\"a\",\"ba\"]", "[\"ab\",\"a\"]"), merges);
        assertEquals("<unk>", json(texts).at("/model/unk_token").stringValue());
        assertEquals("Prepend", json(texts).at("/normalizer/normalizers/0/type").stringValue());
        assertEquals(Map.of("bos_token", "<s>"), texts.tokenVariables());
        assertArrayEquals(new int[] {4}, texts.stopIds());
        assertEquals("{{ x }}", texts.chatTemplate());
    }

    @Test
    void refusesASpecialIdOutsideTheVocabulary() throws IOException {
        Path file = directory.resolve("pieces.gguf");
        Files.write(
                file,
                new GgufBytes()
                        .text("tokenizer.ggml.model", "llama")
                        .texts("tokenizer.ggml.tokens", List.of("<unk>"))
                        .words("tokenizer.ggml.token_type", 5, 2)
                        .words("tokenizer.ggml.scores", 6, 0)
                        .uint32("tokenizer.ggml.eos_token_id", 1)
                        .bytes());
        ClusterException refusal = assertThrows(ClusterException.class, () -> ModelTexts.open(file));
        assertTrue(
                refusal.text().contains("tokenizer.ggml.eos_token_id = 1; the vocabulary has 1 tokens"),
                refusal.text());
    }

    private static int[] scores(float... scores) {
        var bits = new int[scores.length];
        for (int i = 0; i < scores.length; i++) {
            bits[i] = Float.floatToRawIntBits(scores[i]);
        }
        return bits;
    }

    private static JsonNode json(ModelTexts texts) {
        byte[] json = texts.tokenizerJson();
        assertNotNull(json);
        return JSON.readTree(new String(json, StandardCharsets.UTF_8));
    }

    private void write(String name, String text) throws IOException {
        Files.writeString(directory.resolve(name), text);
    }
}
