package org.bergfried.ops.verify;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A plain HTTP client of the chat endpoint.
///
/// @param url where the router is.
/// @param key the API key; empty where none is asked for.
/// @param clients makes a client for each call.
record HttpChat(String url, String key, Supplier<HttpClient> clients) {
    static final JsonMapper JSON = JsonMapper.shared();

    HttpChat(String url) {
        this(url, "", HttpClient::newHttpClient);
    }

    /// Called after each event of a stream with the number of events so far.
    interface EventHook {
        void after(int events) throws IOException;
    }

    /// Reasoning and answer of a stream, and the ids of its events.
    record Streamed(String reasoning, String content, String finishReason, List<String> ids) {}

    static Map<String, Object> question(String text) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("messages", List.of(Map.of("role", "user", "content", text)));
        body.put("temperature", 0);
        return body;
    }

    /// A long, sampled answer whose text depends on every one of its tokens.
    static Map<String, Object> longAnswer(int tokens, long seed) {
        Map<String, Object> body = question("Tell me about Kenya.");
        body.put("temperature", 0.8);
        body.put("seed", seed);
        body.put("max_tokens", tokens);
        body.put("ignore_eos", true);
        body.put("stream", true);
        return body;
    }

    HttpResponse<String> post(Map<String, Object> body) throws IOException {
        return post(JSON.writeValueAsBytes(body));
    }

    HttpResponse<String> post(byte[] body) throws IOException {
        try (var client = clients.get()) {
            return client.send(request(body), BodyHandlers.ofString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    Streamed stream(Map<String, Object> body, EventHook hook) throws IOException {
        var reasoning = new StringBuilder();
        var content = new StringBuilder();
        List<String> ids = new ArrayList<>();
        String finish = "";
        int events = 0;
        try (var client = clients.get()) {
            var response = client.send(request(JSON.writeValueAsBytes(body)), BodyHandlers.ofInputStream());
            try (var reader = new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
                for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                    if (line.startsWith("id:")) {
                        ids.add(line.substring(3).strip());
                    }
                    if (line.startsWith("data:") && !line.endsWith("[DONE]")) {
                        JsonNode event = JSON.readTree(line.substring(5));
                        if (event.has("error")) {
                            throw new IOException(event.toString());
                        }
                        JsonNode choice = event.path("choices").path(0);
                        reasoning.append(
                                choice.path("delta").path("reasoning_content").asString(""));
                        content.append(choice.path("delta").path("content").asString(""));
                        finish = choice.path("finish_reason").asString(finish);
                        hook.after(++events);
                    }
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
        return new Streamed(reasoning.toString(), content.toString(), finish, ids);
    }

    HttpRequest request(byte[] body) {
        return to("/v1/chat/completions")
                .version(HttpClient.Version.HTTP_1_1)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                .build();
    }

    private HttpRequest.Builder to(String path) {
        var request = HttpRequest.newBuilder(URI.create(url + path));
        return key.isEmpty() ? request : request.header("Authorization", "Bearer " + key);
    }

    String get(String path) throws IOException {
        try (var client = clients.get()) {
            return client.send(to(path).build(), BodyHandlers.ofString()).body();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }
}
