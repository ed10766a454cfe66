package org.bergfried.router;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;

/// What is wrong is refused by name, with the value and the limit, in OpenAI's shape; the router serves on.
@Timeout(60)
final class BadRequestTest {
    private static RouterFixture fixture;

    @BeforeAll
    static void start() throws Exception {
        fixture = RouterFixture.serving(1);
    }

    @AfterAll
    static void stop() throws Exception {
        fixture.whole(RouterFixture.ask(",\"max_tokens\":1")); // it serves on
        fixture.close();
    }

    @Test
    void namesFieldValueAndLimit() throws Exception {
        refused(400, "{\"messages\":\"no list\"}", "messages", "no list", "a list");
        refused(400, "{}", "messages", "at least one");
        refused(400, "{\"messages\":[]}", "messages", "at least one");
        refused(400, "{\"messages\":[{\"role\":\"king\",\"content\":\"x\"}]}", "messages[0].role", "assistant");
        refused(400, "{\"messages\":[{\"role\":\"user\"}]}", "messages[0].content", "required");
        refused(400, "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}", "image_url");
        refused(400, RouterFixture.ask(",\"temperature\":2.5"), "temperature", "2.5", "from 0 to 2");
        refused(400, RouterFixture.ask(",\"temperature\":\"hot\""), "temperature", "hot", "a number");
        refused(400, RouterFixture.ask(",\"top_p\":0"), "top_p", "above 0");
        refused(400, RouterFixture.ask(",\"top_k\":1.5"), "top_k", "1.5", "whole number");
        refused(400, RouterFixture.ask(",\"max_tokens\":0"), "max_tokens", "from 1");
        refused(400, RouterFixture.ask(",\"max_tokens\":5,\"max_completion_tokens\":6"), "max_completion_tokens");
        refused(400, RouterFixture.ask(",\"stop\":\"\""), "stop", "1 to 256");
        refused(400, RouterFixture.ask(",\"stop\":[" + "\"a\",".repeat(16) + "\"b\"]"), "stop", "17", "16");
        refused(400, RouterFixture.ask(",\"seed\":9223372036854775808"), "seed", "2^63");
        refused(400, RouterFixture.ask(",\"stream_options\":{\"include_usage\":true}"), "stream_options");
    }

    @Test
    void refusesByNameWhatWouldChangeTheAnswerAndIsNotSupported() throws Exception {
        refused(400, RouterFixture.ask(",\"n\":2"), "n = 2", "1");
        refused(400, RouterFixture.ask(",\"logprobs\":true"), "logprobs", "false");
        refused(400, RouterFixture.ask(",\"frequency_penalty\":0.5"), "frequency_penalty", "0");
        refused(400, RouterFixture.ask(",\"logit_bias\":{\"5\":1}"), "logit_bias");
        refused(400, RouterFixture.ask(",\"response_format\":{\"type\":\"json_object\"}"), "response_format", "text");
        refused(400, RouterFixture.ask(",\"tool_choice\":\"required\""), "tool_choice", "auto");
        refused(400, RouterFixture.ask(",\"reasoning_effort\":\"low\""), "reasoning_effort", "enable_thinking");
        refused(400, RouterFixture.ask(",\"store\":true"), "store");
        refused(400, RouterFixture.ask(",\"temprature\":0"), "temprature", "spelling");
        refused(400, "{\"messages\":[{\"role\":\"user\",\"content\":\"x\",\"colour\":1}]}", "messages[0].colour");
    }

    @Test
    void refusesBrokenJson() throws Exception {
        refused(400, "", "JSON");
        refused(400, "[1]", "JSON object");
        refused(400, "{\"messages\":", "JSON", "line 1");
        refused(400, RouterFixture.ask(",\"temperature\":NaN"), "JSON");
        refused(400, RouterFixture.ask(",\"temperature\":1e999"), "temperature", "finite");
        refused(400, RouterFixture.ask(",\"seed\":1,\"seed\":2"), "seed");
        refused(400, RouterFixture.ask("") + "x", "JSON");
        refused(400, "{\"a\":" + "[".repeat(10_000) + "]".repeat(10_000) + "}", "64");
        byte[] broken = RouterFixture.ask("").getBytes(StandardCharsets.UTF_8);
        broken[40] = (byte) 0xff;
        refused(400, broken, "UTF-8");
    }

    @Test
    void refusesABodyAboveTheLimit() throws Exception {
        String huge = "{\"messages\":[{\"role\":\"user\",\"content\":\"" + "a".repeat(5 << 20) + "\"}]}";
        refused(413, huge, "4194304");
    }

    @Test
    void refusesAPromptLongerThanTheContext() throws Exception {
        String text = "the capital ".repeat(3000);
        refused(400, "{\"messages\":[{\"role\":\"user\",\"content\":\"" + text + "\"}]}", "2048", "tokens");
    }

    @Test
    void namesTheServedModels() throws Exception {
        refused(404, RouterFixture.ask(",\"model\":\"gpt-4\""), "gpt-4", "bergfried-demo");
    }

    @Test
    void answersWrongPathsAndMethodsInTheSameShape() throws Exception {
        HttpResponse<String> lost = fixture.get(fixture.routers.getFirst(), "/v1/nothing");
        assertEquals(404, lost.statusCode());
        assertTrue(error(lost).get("message").stringValue().contains("/v1/nothing"));
        HttpResponse<String> got = fixture.get(fixture.routers.getFirst(), "/v1/chat/completions");
        assertEquals(405, got.statusCode());
        assertEquals("POST", got.headers().firstValue("allow").orElseThrow());
        assertTrue(error(got).get("message").stringValue().contains("GET"));
    }

    private static void refused(int status, String body, String... parts) throws Exception {
        refused(status, body.getBytes(StandardCharsets.UTF_8), parts);
    }

    private static void refused(int status, byte[] body, String... parts) throws Exception {
        URI uri = RouterFixture.uri(fixture.routers.getFirst(), "/v1/chat/completions");
        HttpResponse<String> response = fixture.client.send(
                HttpRequest.newBuilder(uri)
                        .POST(BodyPublishers.ofByteArray(body))
                        .build(),
                BodyHandlers.ofString());
        assertEquals(status, response.statusCode(), response.body());
        String message = error(response).get("message").stringValue();
        for (String part : parts) {
            assertTrue(message.contains(part), "\"" + message + "\" does not contain \"" + part + "\"");
        }
    }

    private static JsonNode error(HttpResponse<String> response) {
        JsonNode error = RouterFixture.JSON.readTree(response.body()).get("error");
        assertTrue(
                error.hasNonNull("message") && error.hasNonNull("type") && error.hasNonNull("code"), error.toString());
        assertTrue(error.has("param"), error.toString());
        return error;
    }
}
