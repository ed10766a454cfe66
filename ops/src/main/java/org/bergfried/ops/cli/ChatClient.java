package org.bergfried.ops.cli;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Speaks to a router as any OpenAI client does, streamed.
///
/// @param baseUrl the router's base URL.
/// @param key     an API key or null.
record ChatClient(String baseUrl, @Nullable String key) {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final String DATA = "data:";

    /// How an answer is asked for; null leaves it to the router.
    record Settings(
            @Nullable String model,
            boolean thinking,
            @Nullable Long seed,
            @Nullable Double temperature,
            @Nullable Integer maxTokens) {}

    /// A turn of a conversation.
    record Message(String role, String content) {}

    /// Receives an answer as it comes.
    interface Listener {
        void reasoning(String text);

        void content(String text);

        void toolCall(String name, String arguments);
    }

    /// What an answer was.
    ///
    /// @param content          the answer without its reasoning.
    /// @param finishReason     stop, length or tool_calls.
    /// @param promptTokens     tokens of the rendered conversation.
    /// @param completionTokens tokens of the answer.
    record Answer(String content, String finishReason, int promptTokens, int completionTokens) {}

    /// Asks and waits for the end of the answer.
    Answer ask(List<Message> messages, Settings settings, Listener listener) {
        HttpRequest.Builder request = request()
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body(messages, settings))));
        if (key != null) {
            request.header("Authorization", "Bearer " + key);
        }
        try (var client = HttpClient.newBuilder()
                .connectTimeout(Duration.ofSeconds(5))
                .proxy(HttpClient.Builder.NO_PROXY)
                .version(HttpClient.Version.HTTP_1_1)
                .build()) {
            HttpResponse<Stream<String>> response = client.send(request.build(), BodyHandlers.ofLines());
            try (Stream<String> lines = response.body()) {
                return response.statusCode() == 200 ? read(lines, listener) : refuse(response.statusCode(), lines);
            }
        } catch (IOException | java.io.UncheckedIOException e) {
            String why = e instanceof ConnectException ? "nothing listens there" : e.getMessage();
            throw new CommandFailure("no answer from " + baseUrl + ": " + why, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandFailure("interrupted", e);
        }
    }

    private HttpRequest.Builder request() {
        try {
            return HttpRequest.newBuilder(URI.create(baseUrl + "/v1/chat/completions"));
        } catch (IllegalArgumentException malformed) {
            throw new CommandFailure(baseUrl + " is not a URL such as http://127.0.0.1:8080", malformed);
        }
    }

    private static Map<String, Object> body(List<Message> messages, Settings settings) {
        Map<String, Object> body = new LinkedHashMap<>();
        putIfGiven(body, "model", settings.model());
        body.put("messages", messages);
        body.put("stream", true);
        body.put("stream_options", Map.of("include_usage", true));
        putIfGiven(body, "seed", settings.seed());
        putIfGiven(body, "temperature", settings.temperature());
        putIfGiven(body, "max_tokens", settings.maxTokens());
        if (!settings.thinking()) {
            body.put("chat_template_kwargs", Map.of("enable_thinking", false));
        }
        return body;
    }

    private static void putIfGiven(Map<String, Object> body, String name, @Nullable Object value) {
        if (value != null) {
            body.put(name, value);
        }
    }

    private static Answer read(Stream<String> lines, Listener listener) {
        var content = new StringBuilder();
        String finish = "";
        int promptTokens = 0;
        int completionTokens = 0;
        for (String line : (Iterable<String>) lines::iterator) {
            if (!line.startsWith(DATA) || line.endsWith("[DONE]")) {
                continue;
            }
            JsonNode event = JSON.readTree(line.substring(DATA.length()));
            if (event.has("error")) {
                throw new CommandFailure(event.path("error").path("message").asString(""));
            }
            JsonNode choice = event.path("choices").path(0);
            deliver(choice.path("delta"), listener, content);
            finish = choice.path("finish_reason").asString(finish);
            promptTokens = event.path("usage").path("prompt_tokens").asInt(promptTokens);
            completionTokens = event.path("usage").path("completion_tokens").asInt(completionTokens);
        }
        if (finish.isEmpty()) {
            throw new CommandFailure("the connection ended before the answer did");
        }
        return new Answer(content.toString(), finish, promptTokens, completionTokens);
    }

    private static void deliver(JsonNode delta, Listener listener, StringBuilder content) {
        String reasoning = delta.path("reasoning_content").asString("");
        if (!reasoning.isEmpty()) {
            listener.reasoning(reasoning);
        }
        String text = delta.path("content").asString("");
        if (!text.isEmpty()) {
            content.append(text);
            listener.content(text);
        }
        for (JsonNode call : delta.path("tool_calls")) {
            JsonNode function = call.path("function");
            listener.toolCall(
                    function.path("name").asString(""),
                    function.path("arguments").asString(""));
        }
    }

    private static Answer refuse(int status, Stream<String> lines) {
        String text = lines.collect(Collectors.joining("\n"));
        String message;
        try {
            message = JSON.readTree(text.getBytes(StandardCharsets.UTF_8))
                    .path("error")
                    .path("message")
                    .asString("");
        } catch (JacksonException e) {
            message = text; // not our router, perhaps a proxy: show what it said
        }
        throw new CommandFailure("HTTP " + status + ": " + message);
    }
}
