package org.bergfried.ops.cli;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Speaks to the admin API of a router over HTTP.
///
/// @param baseUrl the router's base URL.
/// @param key     an API key or null.
record AdminApi(String baseUrl, @Nullable String key) {
    private static final JsonFormat.Parser PARSER = JsonFormat.parser().ignoringUnknownFields();
    private static final JsonFormat.Printer PRINTER =
            JsonFormat.printer().alwaysPrintFieldsWithNoPresence().omittingInsignificantWhitespace();

    /// A message as one line of JSON.
    static String json(Message message) {
        try {
            return PRINTER.print(message);
        } catch (InvalidProtocolBufferException bug) {
            throw new IllegalStateException(bug);
        }
    }

    /// Calls a method and hands each response on as it comes.
    ///
    /// @param method    `Service/Method`.
    /// @param responses makes empty responses.
    <R extends Message> void call(
            String method, Message request, Supplier<Message.Builder> responses, Class<R> kind, Consumer<R> each) {
        try (var client = HttpClient.newBuilder()
                .connectTimeout(Duration.ofSeconds(5))
                .proxy(HttpClient.Builder.NO_PROXY)
                .version(HttpClient.Version.HTTP_1_1)
                .build()) {
            HttpResponse<Stream<String>> response = client.send(post(method, request), BodyHandlers.ofLines());
            try (Stream<String> lines = response.body()) {
                for (String line : (Iterable<String>) lines::iterator) {
                    requireNoError(response.statusCode(), line);
                    if (!line.isBlank()) {
                        each.accept(kind.cast(read(line, responses.get())));
                    }
                }
            }
        } catch (IOException | UncheckedIOException e) {
            String why = e instanceof ConnectException ? "nothing listens there" : e.getMessage();
            throw new CommandFailure("no answer from " + baseUrl + ": " + why, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandFailure("interrupted; a plan that has begun goes on", e);
        }
    }

    private HttpRequest post(String method, Message request) {
        try {
            var post = HttpRequest.newBuilder(URI.create(baseUrl + "/admin/v1/" + method))
                    .header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(json(request)));
            return (key == null ? post : post.header("Authorization", "Bearer " + key)).build();
        } catch (IllegalArgumentException malformed) {
            throw new CommandFailure(baseUrl + " is not a URL such as http://127.0.0.1:8080", malformed);
        }
    }

    private static void requireNoError(int status, String line) {
        if (status == 200 && !line.startsWith("{\"error\"")) {
            return;
        }
        try {
            JsonNode error = JsonMapper.shared().readTree(line).path("error");
            throw new CommandFailure(error.path("code").asString("HTTP " + status) + ": "
                    + error.path("message").asString(""));
        } catch (JacksonException e) {
            throw new CommandFailure("HTTP " + status + ": " + line, e); // not our router, perhaps a proxy
        }
    }

    private static Message read(String line, Message.Builder builder) {
        try {
            PARSER.merge(line, builder);
            return builder.build();
        } catch (InvalidProtocolBufferException malformed) {
            throw new CommandFailure("the router's answer is not understood: " + malformed.getMessage(), malformed);
        }
    }
}
