package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A plain client of the admin API.
///
/// @param url where the router is.
/// @param key the API key; empty for none.
record AdminClient(String url, String key) {
    private static final JsonMapper JSON = JsonMapper.shared();

    /// A status and the lines of the body.
    record Answer(int status, List<JsonNode> lines) {
        JsonNode last() {
            return lines.getLast();
        }

        /// Why a call was refused.
        String code() {
            return last().path("error").path("code").asString("");
        }
    }

    /// Calls a method and waits for the end of its answer.
    Answer call(String method, Map<String, Object> request) throws IOException {
        var post = HttpRequest.newBuilder(URI.create(url + "/admin/v1/" + method))
                .version(HttpClient.Version.HTTP_1_1)
                .POST(HttpRequest.BodyPublishers.ofByteArray(JSON.writeValueAsBytes(request)));
        if (!key.isEmpty()) {
            post.header("Authorization", "Bearer " + key);
        }
        try (var client = HttpClient.newHttpClient()) {
            HttpResponse<String> response = client.send(post.build(), BodyHandlers.ofString());
            List<JsonNode> lines = response.body()
                    .lines()
                    .filter(line -> !line.isBlank())
                    .map(JSON::readTree)
                    .toList();
            return new Answer(response.statusCode(), lines);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    /// Where every expert is.
    JsonNode placement() throws IOException {
        Answer answer = call("PlacementService/GetPlacement", Map.of());
        assertEquals(200, answer.status(), answer.lines().toString());
        return answer.last().path("placement");
    }
}
