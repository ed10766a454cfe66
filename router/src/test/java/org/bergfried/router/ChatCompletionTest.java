package org.bergfried.router;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.http.HttpResponse;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;

/// Chats over HTTP as a client sees them.
@Timeout(60)
final class ChatCompletionTest {
    private static RouterFixture fixture;

    @BeforeAll
    static void start() throws Exception {
        fixture = RouterFixture.serving(2);
    }

    @AfterAll
    static void stop() throws Exception {
        fixture.close();
    }

    @Test
    void answersWithReasoningApart() throws Exception {
        JsonNode answer = fixture.whole(RouterFixture.ask(",\"temperature\":0"));
        JsonNode message = answer.at("/choices/0/message");
        assertEquals(FakeModel.CONTENT, message.get("content").stringValue());
        assertEquals(FakeModel.REASONING, message.get("reasoning_content").stringValue());
        assertEquals("stop", answer.at("/choices/0/finish_reason").stringValue());
        assertEquals("chat.completion", answer.get("object").stringValue());
        assertEquals("bergfried-demo", answer.get("model").stringValue());
        assertTrue(answer.get("id").stringValue().matches("chatcmpl-[0-9a-f]{32}"), answer.toString());
        int completion = answer.at("/usage/completion_tokens").intValue();
        assertEquals(fixture.model.scriptLength(), completion);
        assertEquals(
                completion + answer.at("/usage/prompt_tokens").intValue(),
                answer.at("/usage/total_tokens").intValue());
    }

    @Test
    void streamsTheSameTextAsTheWholeAnswer() throws Exception {
        JsonNode whole = fixture.whole(RouterFixture.ask(",\"seed\":7,\"max_tokens\":300"));
        SseText stream =
                SseText.all(fixture.lines(RouterFixture.ask(",\"seed\":7,\"max_tokens\":300,\"stream\":true")));
        assertEquals(whole.at("/choices/0/message/reasoning_content").asString(""), stream.reasoning.toString());
        assertEquals(whole.at("/choices/0/message/content").stringValue(), stream.content.toString());
        assertEquals("length", stream.finishReason);
        assertEquals(300, whole.at("/usage/completion_tokens").intValue());
    }

    @Test
    void streamsEventsWithPositionsAndEndsWithDone() throws Exception {
        SseText stream = SseText.all(fixture.lines(
                RouterFixture.ask(",\"temperature\":0,\"stream\":true,\"stream_options\":{\"include_usage\":true}")));
        assertTrue(stream.done);
        assertEquals(
                "assistant",
                stream.chunks.getFirst().at("/choices/0/delta/role").stringValue());
        assertEquals(stream.positions.stream().sorted().distinct().toList(), stream.positions);
        assertTrue(stream.positions.size() > 10, "positions " + stream.positions);
        JsonNode last = stream.chunks.getLast();
        assertEquals(0, last.get("choices").size());
        assertEquals(
                fixture.model.scriptLength(),
                last.at("/usage/completion_tokens").intValue());
        assertTrue(stream.chunks.getFirst().get("usage").isNull());
        assertEquals(
                1,
                stream.chunks.stream()
                        .map(chunk -> chunk.get("id").stringValue())
                        .distinct()
                        .count());
        assertEquals(FakeModel.CONTENT, stream.content.toString());
    }

    @Test
    void sendsTheHeadersOfAStreamThatNobodyMayBuffer() throws Exception {
        HttpResponse<String> response = fixture.post(RouterFixture.ask(",\"max_tokens\":1,\"stream\":true"));
        assertEquals("no-cache", response.headers().firstValue("cache-control").orElseThrow());
        assertEquals("no", response.headers().firstValue("x-accel-buffering").orElseThrow());
        assertTrue(response.headers().firstValue("content-type").orElseThrow().startsWith("text/event-stream"));
        assertTrue(response.headers().firstValue("content-encoding").isEmpty());
    }

    @Test
    void returnsTheSeedThatItDrewAndRepeatsTheAnswerWithIt() throws Exception {
        JsonNode first = fixture.whole(RouterFixture.ask(",\"max_tokens\":20"));
        JsonNode second = fixture.whole(RouterFixture.ask(",\"max_tokens\":20"));
        long seed = first.at("/bergfried/seed").longValue();
        JsonNode repeated = fixture.whole(RouterFixture.ask(",\"max_tokens\":20,\"seed\":" + seed));
        assertEquals(first.at("/choices/0/message"), repeated.at("/choices/0/message"));
        assertNotEquals(first.at("/choices/0/message"), second.at("/choices/0/message"));
        assertTrue(first.at("/bergfried/resumable").booleanValue());
    }

    @Test
    void cutsAtAStopStringAcrossTokens() throws Exception {
        JsonNode answer = fixture.whole(
                RouterFixture.ask(",\"temperature\":0,\"stop\":[\"enya is\",\"xyz\"],\"ignore_eos\":true"));
        assertEquals("The capital of K", answer.at("/choices/0/message/content").stringValue());
        assertEquals("stop", answer.at("/choices/0/finish_reason").stringValue());
        SseText stream = SseText.all(fixture.lines(
                RouterFixture.ask(",\"temperature\":0,\"stop\":\"enya is\",\"ignore_eos\":true,\"stream\":true")));
        assertEquals("The capital of K", stream.content.toString());
    }

    @Test
    void goesOnPastTheEndWithIgnoreEos() throws Exception {
        JsonNode answer = fixture.whole(RouterFixture.ask(",\"temperature\":0,\"ignore_eos\":true,\"max_tokens\":200"));
        assertEquals(200, answer.at("/usage/completion_tokens").intValue());
        assertTrue(answer.at("/choices/0/message/content").stringValue().startsWith(FakeModel.CONTENT));
        assertEquals("length", answer.at("/choices/0/finish_reason").stringValue());
    }

    @Test
    void leavesReasoningOutWhenAskedTo() throws Exception {
        String off = RouterFixture.ask(
                ",\"temperature\":0,\"max_tokens\":3,\"chat_template_kwargs\":{\"enable_thinking\":false}");
        JsonNode answer = fixture.whole(off);
        assertFalse(answer.at("/choices/0/message").has("reasoning_content"), answer.toString());
    }

    @Test
    void takesContentParts() throws Exception {
        String parts =
                "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"What is the capital\"},"
                        + "{\"type\":\"text\",\"text\":\" of Kenya?\"}]}],\"temperature\":0}";
        assertEquals(
                fixture.whole(RouterFixture.ask(",\"temperature\":0")).at("/usage/prompt_tokens"),
                fixture.whole(parts).at("/usage/prompt_tokens"));
    }

    @Test
    void ignoresHarmlessFields() throws Exception {
        fixture.whole(RouterFixture.ask(
                ",\"max_tokens\":1,\"user\":\"me\",\"metadata\":{\"a\":\"b\"},\"store\":false,\"n\":1,"
                        + "\"logprobs\":false,\"presence_penalty\":0,\"frequency_penalty\":0.0,\"logit_bias\":{},"
                        + "\"response_format\":{\"type\":\"text\"},\"parallel_tool_calls\":true,"
                        + "\"tool_choice\":\"auto\","
                        + "\"stop\":null,\"seed\":null,\"tools\":null"));
    }

    @Test
    void listsTheModelAndNamesItWhenAnotherIsAskedFor() throws Exception {
        JsonNode list = RouterFixture.JSON.readTree(
                fixture.get(fixture.routers.getFirst(), "/v1/models").body());
        assertEquals("bergfried-demo", list.at("/data/0/id").stringValue());
        assertEquals("model", list.at("/data/0/object").stringValue());
        assertEquals(
                200,
                fixture.get(fixture.routers.getFirst(), "/v1/models/bergfried-demo")
                        .statusCode());
        HttpResponse<String> unknown = fixture.get(fixture.routers.getFirst(), "/v1/models/gpt");
        assertEquals(404, unknown.statusCode());
        assertTrue(unknown.body().contains("bergfried-demo"), unknown.body());
    }

    @Test
    void showsMetersWithoutText() throws Exception {
        fixture.whole(RouterFixture.ask(",\"max_tokens\":1"));
        String metrics = fixture.get(fixture.routers.getFirst(), "/metrics").body();
        assertTrue(metrics.contains("bergfried_router_tokens_answer_total"), metrics);
        assertTrue(metrics.contains("bergfried_router_homes_ready 2"), metrics);
        assertFalse(metrics.contains("Kenya"));
    }

    @Test
    void servesManyAtOnce() throws Exception {
        String json = RouterFixture.ask(",\"seed\":11,\"max_tokens\":50");
        String expected = fixture.whole(json).at("/choices/0/message/content").stringValue();
        var answers = IntStream.range(0, 64)
                .mapToObj(i -> fixture.client.sendAsync(
                        fixture.request(fixture.routers.getFirst(), json), HttpResponse.BodyHandlers.ofString()))
                .toList();
        for (var answer : answers) {
            assertEquals(
                    expected,
                    RouterFixture.JSON
                            .readTree(answer.join().body())
                            .at("/choices/0/message/content")
                            .stringValue());
        }
    }
}
