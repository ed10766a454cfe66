package org.bergfried.worker.tool;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.bergfried.contract.SystemClock;
import org.bergfried.worker.Golden;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The jobs of `model logits`: equal bits however the work is cut.
class LogitsJobsTest {
    private static final JsonMapper JSON = JsonMapper.shared();

    private static final List<Integer> TOKENS =
            IntStream.range(0, 70).map(i -> 1 + i * 37 % 90).boxed().toList();

    private final LogitsJobs jobs = new LogitsJobs(new SystemClock());

    @TempDir
    private Path folder;

    @AfterEach
    void close() {
        jobs.close();
    }

    @Test
    void givesEqualBitsForAnyWorkersChunksAndBatch() throws Exception {
        for (String name : List.of("deepseek_v3", "tiny-dsv2-Q8_0.gguf")) {
            byte[] plain = logits(name, "");
            for (String way : List.of(
                    "\"workers\": 2",
                    "\"workers\": 5",
                    "\"chunk\": 1",
                    "\"chunk\": 7",
                    "\"chunk\": 64",
                    "\"batch\": 16",
                    "\"workers\": 2, \"chunk\": 7, \"batch\": 5")) {
                assertArrayEquals(plain, logits(name, ", " + way), name + " " + way);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "qwen2_moe", "granitemoe", "gpt_oss"})
    void answersWithGreedyIdsOfTheGoldenModel(String name) throws Exception {
        JsonNode golden = JSON.readTree(Files.readString(Golden.path(name).resolve("tokens.json")));
        JsonNode answer = answer("{\"model\": \"" + Golden.path(name) + "\", \"tokens\": " + golden.get("input_ids")
                + ", \"greedy\": " + golden.get("greedy").size() + ", \"backend\": \"scalar\"}");
        assertEquals(golden.get("greedy"), answer.get("greedy"));
        assertEquals("scalar", answer.get("backend").asString());
        assertEquals("b1-f32-d", answer.get("numerics").asString());
    }

    @Test
    void aBadJobIsAnsweredAndTheNextOneRuns() throws Exception {
        String good = "{\"model\": \"" + Golden.path("llama") + "\", \"tokens\": [1, 2], \"greedy\": 3}";
        assertError("MODEL_NOT_FOUND", "{\"model\": \"/no/such/model\", \"tokens\": [1]}");
        assertError("INVALID_REQUEST", "{\"model\": \"" + Golden.path("llama") + "\", \"tokens\": [999999]}");
        assertError("INVALID_REQUEST", "{\"model\": \"" + Golden.path("llama") + "\", \"tokens\": []}");
        assertError("INVALID_REQUEST", good.replace("greedy", "greeedy"));
        assertError("INVALID_REQUEST", "no json");
        assertError("CONTEXT_TOO_LONG", good.replace("3}", "100000}"));
        assertEquals(3, answer(good).get("greedy").size());
        assertError("NOT_IMPLEMENTED", good.replace("}", ", \"backend\": \"cuda\"}"));
        assertEquals(3, answer(good).get("greedy").size());
    }

    /// The bytes of the logits, and the greedy ids behind them.
    private byte[] logits(String name, String way) throws IOException {
        Path out = folder.resolve("logits.f32");
        JsonNode answer = answer("{\"model\": \"" + Golden.path(name) + "\", \"tokens\": " + TOKENS
                + ", \"greedy\": 6, \"out\": \"" + out + "\"" + way + "}");
        assertTrue(answer.has("greedy"), answer.toString());
        byte[] rows = Files.readAllBytes(out);
        assertEquals(TOKENS.size() * 4L * answer.get("vocab").intValue(), rows.length);
        byte[] ids = answer.get("greedy").toString().getBytes(StandardCharsets.UTF_8);
        byte[] both = Arrays.copyOf(rows, rows.length + ids.length);
        System.arraycopy(ids, 0, both, rows.length, ids.length);
        return both;
    }

    private void assertError(String reason, String line) {
        JsonNode answer = answer(line);
        assertEquals(reason, answer.path("error").path("reason").asString(), answer.toString());
        assertTrue(answer.path("error").path("message").asString().length() > 10);
    }

    private JsonNode answer(String line) {
        return JSON.readTree(jobs.answer(line));
    }
}
