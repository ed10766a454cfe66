package org.bergfried.router;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// Reads a stream of server-sent events of chat completions.
final class SseText {
    final StringBuilder reasoning = new StringBuilder();
    final StringBuilder content = new StringBuilder();
    final List<Integer> positions = new ArrayList<>();
    final List<JsonNode> chunks = new ArrayList<>();
    final List<String> comments = new ArrayList<>();
    boolean done;
    String finishReason = "";
    private final Iterator<String> lines;

    SseText(Iterator<String> lines) {
        this.lines = lines;
    }

    static SseText all(Iterator<String> lines) {
        var text = new SseText(lines);
        while (text.readLine()) {
            // everything is collected
        }
        return text;
    }

    /// Reads until so many deltas have come.
    void readDeltas(int count) {
        while (positions.size() < count && readLine()) {
            // collected
        }
    }

    boolean readLine() {
        if (!lines.hasNext()) {
            return false;
        }
        String line = lines.next();
        if (line.startsWith("id: ")) {
            positions.add(Integer.valueOf(line.substring(4)));
        } else if (line.startsWith(":")) {
            comments.add(line);
        } else if (line.equals("data: [DONE]")) {
            done = true;
        } else if (line.startsWith("data: ")) {
            take(RouterFixture.JSON.readTree(line.substring(6)));
        } else if (!line.isEmpty()) {
            throw new AssertionError("no line of an event stream: " + line);
        }
        return true;
    }

    private void take(JsonNode chunk) {
        chunks.add(chunk);
        JsonNode choice = chunk.path("choices").path(0);
        reasoning.append(choice.path("delta").path("reasoning_content").asString(""));
        content.append(choice.path("delta").path("content").asString(""));
        finishReason = choice.path("finish_reason").asString(finishReason);
    }
}
