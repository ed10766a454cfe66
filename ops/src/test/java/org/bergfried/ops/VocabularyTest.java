package org.bergfried.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.bergfried.router.chat.Tokenizer;
import org.bergfried.worker.model.ModelTexts;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Vocabularies of GGUF files, as the worker says them and the router reads them, against the ids that the original
/// tokenizers give. Needs the folder of third-party vectors (`-Dbergfried.vectors=DIR`).
class VocabularyTest {
    private static final String SEPARATOR = "\n__ggml_vocab_test__\n";

    @ParameterizedTest
    @ValueSource(strings = {"deepseek-coder", "deepseek-llm", "gpt-2", "llama-spm"})
    void givesTheIdsOfTheOriginalTokenizer(String name) throws IOException {
        Path file = vectors("tokenizers").resolve("ggml-vocab-" + name + ".gguf");
        Tokenizer tokenizer = tokenizer(file);
        List<String> texts = texts(Path.of(file + ".inp"));
        List<String> ids = Files.readAllLines(Path.of(file + ".out"));
        assertEquals(ids.size(), texts.size());
        for (int i = 0; i < texts.size(); i++) {
            assertArrayEquals(numbers(ids.get(i)), tokenizer.encode(texts.get(i)), "text " + i + " of " + name);
        }
    }

    @Test
    void saysTheDemoModelsVocabularyAsItsTokenizerDoes() throws IOException {
        Path folder = vectors("demo-model");
        Tokenizer original = tokenizer(folder);
        Tokenizer converted = tokenizer(folder.resolve("demo-Q8_0.gguf"));
        for (String text : texts(vectors("tokenizers").resolve("strings.inp"))) {
            assertArrayEquals(original.encode(text), converted.encode(text), text);
        }
    }

    private static Tokenizer tokenizer(Path model) {
        return Tokenizer.of(Objects.requireNonNull(ModelTexts.open(model).tokenizerJson()));
    }

    private static List<String> texts(Path file) throws IOException {
        String all = Files.readString(file);
        String body = all.endsWith(SEPARATOR) ? all.substring(0, all.length() - SEPARATOR.length()) : all;
        return Arrays.asList(body.split(SEPARATOR, -1));
    }

    private static int[] numbers(String line) {
        return line.isBlank()
                ? new int[0]
                : Arrays.stream(line.strip().split("\\s+"))
                        .mapToInt(Integer::parseInt)
                        .toArray();
    }

    private static Path vectors(String name) {
        Path folder = Path.of(System.getProperty("bergfried.vectors", "vectors"), name);
        assumeTrue(Files.isDirectory(folder), "no folder " + folder + ": set -Dbergfried.vectors to run this test");
        return folder;
    }
}
