package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// Requests that cannot be answered get an error that says why, and the cluster serves on.
@ExtendWith(SharedCluster.class)
final class BadInputTest {
    private final HttpChat chat;

    BadInputTest(RunningCluster cluster) {
        this.chat = new HttpChat(cluster.url());
    }

    @AfterEach
    void stillServes() throws IOException {
        var answer = chat.post(HttpChat.question("What is the capital of Kenya?"));
        assertEquals(200, answer.statusCode(), answer.body());
        assertTrue(answer.body().contains("Nairobi"), answer.body());
    }

    private void refused(int status, byte[] body, String... named) throws IOException {
        var answer = chat.post(body);
        assertEquals(status, answer.statusCode(), answer.body());
        String message = HttpChat.JSON
                .readTree(answer.body())
                .path("error")
                .path("message")
                .asString();
        for (String name : named) {
            assertTrue(message.contains(name), () -> "\"" + name + "\" is not named: " + message);
        }
    }

    private void refused(int status, String body, String... named) throws IOException {
        refused(status, body.getBytes(StandardCharsets.UTF_8), named);
    }

    private static String with(String field) {
        return "{\"messages\": [{\"role\": \"user\", \"content\": \"hello\"}], " + field + "}";
    }

    @Test
    void notANumber() throws IOException {
        refused(400, with("\"temperature\": NaN"));
    }

    @Test
    void numberBeyondItsRange() throws IOException {
        refused(400, with("\"temperature\": 1e999"), "temperature");
        refused(400, with("\"top_p\": 0"), "top_p", "0");
        refused(400, with("\"max_tokens\": -1"), "max_tokens", "-1");
    }

    @Test
    void brokenUtf8() throws IOException {
        byte[] body = with("\"seed\": 1").replace("hello", "hel\u0001lo").getBytes(StandardCharsets.ISO_8859_1);
        for (int i = 0; i < body.length; i++) {
            if (body[i] == 1) {
                body[i] = (byte) 0xff;
            }
        }
        refused(400, body, "UTF-8");
    }

    @Test
    void deepJson() throws IOException {
        refused(400, "[".repeat(10_000) + "]".repeat(10_000));
        refused(400, with("\"metadata\": " + "{\"a\":".repeat(10_000) + "1" + "}".repeat(10_000)));
    }

    @Test
    void promptLongerThanTheContext() throws IOException {
        refused(400, HttpChat.JSON.writeValueAsString(HttpChat.question("again and again ".repeat(2_000))), "2048");
    }

    @Test
    void bodyOverItsLimit() throws IOException {
        refused(413, HttpChat.JSON.writeValueAsString(HttpChat.question("x".repeat(5 << 20))), "4");
    }

    @Test
    void unknownModel() throws IOException {
        refused(404, with("\"model\": \"gpt-9\""), "gpt-9", "bergfried-demo");
    }

    @Test
    void unknownField() throws IOException {
        refused(400, with("\"temprature\": 1"), "temprature");
    }

    @Test
    void messagesOfTheWrongShape() throws IOException {
        refused(400, "{\"messages\": \"no list\"}", "messages");
        refused(400, "{\"messages\": []}", "messages");
        refused(400, "{}", "messages");
        refused(
                400,
                HttpChat.JSON.writeValueAsString(Map.of("messages", List.of(Map.of("role", "king", "content", "x")))),
                "king");
    }
}
