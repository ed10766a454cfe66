package org.bergfried.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.StreamSupport;
import org.bergfried.contract.SystemClock;
import org.bergfried.router.chat.Tokenizer;
import org.bergfried.worker.model.ModelTexts;
import org.bergfried.worker.tool.LogitsJob;
import org.bergfried.worker.tool.LogitsJobs;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

/// A small real model, trained by others: its greedy continuation of nothing is a known story. Needs the folder of
/// third-party vectors (`-Dbergfried.vectors=DIR`).
class StoriesTest {
    private static final int BOS = 1;

    @ParameterizedTest
    @ValueSource(strings = {"stories260K-f32-v3.gguf", "stories260K-moe8x-top2.gguf"})
    void tellsTheKnownStory(String file) throws IOException {
        String folder = System.getProperty("bergfried.vectors", "");
        assumeTrue(!folder.isEmpty(), "skipped: no folder of third-party vectors (-Dbergfried.vectors=DIR)");
        Path models = Path.of(folder, "models");
        Path model = models.resolve(file);
        byte[] tokenizerJson = Objects.requireNonNull(ModelTexts.open(model).tokenizerJson());
        int[] story = Tokenizer.of(tokenizerJson)
                .encode(Files.readString(models.resolve("stories260K.txt")).strip());
        try (var jobs = new LogitsJobs(new SystemClock())) {
            String answer =
                    jobs.run(new LogitsJob(model.toString(), new int[] {BOS}, null, story.length, "auto", 0, 0, 1));
            int[] told = StreamSupport.stream(
                            JsonMapper.shared().readTree(answer).path("greedy").spliterator(), false)
                    .mapToInt(id -> id.asInt())
                    .toArray();
            assertArrayEquals(story, told);
        }
    }
}
