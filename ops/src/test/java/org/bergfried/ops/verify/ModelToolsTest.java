package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The tools as a script uses them: results on standard output, and nothing else there.
final class ModelToolsTest {
    private static final Path DEMO = Path.of("demo-model").toAbsolutePath();

    private static List<String> lines(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(RunningCluster.launcher().toString(), "model"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), out);
        return out.lines().toList();
    }

    @Test
    void logitsPrintsOneLineOfJson() throws Exception {
        List<String> lines = lines("logits", DEMO.toString(), "--tokens", "0 3 374", "--greedy", "4", "--workers", "2");
        assertEquals(1, lines.size(), lines::toString);
        JsonNode answer = JsonMapper.shared().readTree(lines.getFirst());
        assertEquals(4, answer.path("greedy").size());
        assertEquals(3072, answer.path("vocab").asInt());
    }

    @Test
    void inspectPrintsOneObject() throws Exception {
        List<String> lines = lines("inspect", DEMO.toString(), "--json");
        assertEquals(1, lines.size(), lines::toString);
        assertTrue(JsonMapper.shared()
                        .readTree(lines.getFirst())
                        .path("routed_experts")
                        .asInt()
                > 0);
    }
}
