package org.bergfried.router;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.MemberRole;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.proto.engine.v1.GenerateRequest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;

/// Homes that die in the middle of an answer: the client gets the same text.
@Timeout(60)
final class FailoverTest {
    private static final String LONG = RouterFixture.ask(",\"seed\":5,\"max_tokens\":120,\"stream\":true");

    private final RouterFixture fixture = new RouterFixture();

    @AfterEach
    void stop() {
        fixture.close();
    }

    @Test
    void streamsTheSameTextWhenTheHomeDiesInMidStream() throws Exception {
        FakeEngine first = fixture.startEngine("w1", 1);
        FakeEngine second = fixture.startEngine("w2", 1);
        fixture.startRouter("");
        first.allow(40);
        second.allow(40);
        var stream = new SseText(fixture.lines(LONG));
        stream.readDeltas(10);
        FakeEngine home = first.requests.isEmpty() ? second : first;
        FakeEngine other = home == first ? second : first;
        home.close();
        other.allowAll();
        SseText rest = finish(stream);
        String metrics = fixture.get(fixture.routers.getFirst(), "/metrics").body();
        assertEquals(1, sum(metrics, "bergfried_router_replays_total"));
        assertEquals(1, sum(metrics, "bergfried_router_time_to_first_token_seconds_count"));
        assertEquals(
                sum(metrics, "bergfried_router_tokens_answer_total") - 1,
                sum(metrics, "bergfried_router_time_between_tokens_seconds_count"));
        assertEquals(undisturbed(other), rest.reasoning.toString());
        assertEquals("length", rest.finishReason);
        GenerateRequest retry = other.requests.getFirst();
        assertEquals(2, retry.getAttempt());
        assertTrue(retry.getKnownIdsCount() >= 10, "known ids: " + retry.getKnownIdsCount());
        assertEquals(rest.positions.stream().sorted().distinct().toList(), rest.positions);
    }

    @Test
    void waitsForAHomeWhenTheOnlyOneDiedAndGoesOnWhenItIsBack() throws Exception {
        FakeEngine only = fixture.startEngine("w1", 1);
        fixture.startRouter("");
        only.allow(30);
        var stream = new SseText(fixture.lines(LONG));
        stream.readDeltas(10);
        fixture.cluster.directory().withdraw("w1");
        only.close();
        FakeEngine again = fixture.startEngine("w1", 2);
        again.allowAll();
        assertEquals(undisturbed(again), finish(stream).reasoning.toString());
    }

    @Test
    void goesToTheNextHomeWhenOneDrainsOrHasNoExperts() throws Exception {
        FakeEngine first = fixture.startEngine("w1", 1);
        FakeEngine second = fixture.startEngine("w2", 1);
        fixture.startRouter("");
        first.refuseWith(new ClusterException(ErrorReason.DRAINING, "ends"));
        second.refuseWith(new ClusterException(ErrorReason.EXPERT_UNPLACED, "expert 3 of layer 2 is nowhere"));
        var stream = new SseText(fixture.lines(LONG));
        first.opened.acquire();
        second.opened.acquire();
        first.refuseWith(null);
        second.refuseWith(null);
        first.allowAll();
        second.allowAll();
        assertEquals(undisturbed(first), finish(stream).reasoning.toString());
    }

    @Test
    void endsWhenTheErrorIsTheRequestsOwn() throws Exception {
        FakeEngine engine = fixture.startEngine("w1", 1);
        fixture.startRouter("");
        engine.refuseWith(new ClusterException(ErrorReason.NONFINITE_OUTPUT, "layer 3 gave NaN"));
        HttpResponse<String> whole = fixture.post(RouterFixture.ask(""));
        assertEquals(500, whole.statusCode());
        assertTrue(whole.body().contains("NONFINITE_OUTPUT"), whole.body());
        SseText streamed = SseText.all(fixture.lines(RouterFixture.ask(",\"stream\":true")));
        assertFalse(streamed.done);
        assertEquals(
                "NONFINITE_OUTPUT", streamed.chunks.getLast().at("/error/code").stringValue());
        assertEquals(2, engine.requests.size(), "no attempt may be repeated");
    }

    @Test
    void flowsAndSaysSoWhenTheRecordCannotBeStored() throws Exception {
        fixture.startEngine("w1", 1).allowAll();
        fixture.startRouter("", new SilentStoreCluster(fixture.cluster.join(MemberRole.ROUTER)));
        JsonNode answer = fixture.whole(RouterFixture.ask(",\"temperature\":0"));
        assertEquals(FakeModel.CONTENT, answer.at("/choices/0/message/content").stringValue());
        assertFalse(answer.at("/bergfried/resumable").booleanValue());
        String metrics = fixture.get(fixture.routers.getFirst(), "/metrics").body();
        assertTrue(metrics.contains("generations_started_total{resumable=\"false\"} 1"), metrics);
    }

    @Test
    void placesExpertsAnewWhenAWorkerHasLeft() throws Exception {
        fixture.startEngine("w1", 1);
        fixture.startEngine("w2", 1);
        var changes = new LinkedBlockingQueue<Placement>();
        try (var _ = fixture.cluster.placements().onChange(changes::add)) {
            fixture.startRouter("placement: {expectedWorkers: 2}\n");
            assertEquals(List.of("w1", "w2"), changes.take().workerIds());
            fixture.cluster.directory().withdraw("w2");
            Placement next = changes.take();
            assertEquals(2, next.epoch());
            assertEquals(List.of("w1"), next.workerIds());
        }
    }

    @Test
    void isReadyOnlyWhileAHomeServes() throws Exception {
        FakeEngine engine = fixture.startEngine("w1", 1);
        Router router = fixture.startRouter("");
        engine.setServing(false);
        fixture.awaitStatus(router, "/readyz", 503);
        assertEquals(200, fixture.get(router, "/healthz").statusCode());
        engine.setServing(true);
        fixture.awaitStatus(router, "/readyz", 200);
        fixture.cluster.directory().withdraw("w1");
        fixture.awaitStatus(router, "/readyz", 503);
    }

    /// The sum of a metric over its tags.
    private static double sum(String metrics, String name) {
        return metrics.lines()
                .filter(line -> line.startsWith(name + " ") || line.startsWith(name + "{"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                .sum();
    }

    private static SseText finish(SseText stream) {
        while (stream.readLine()) {
            // collected
        }
        assertTrue(stream.done, "the stream did not end well: " + stream.chunks.getLast());
        return stream;
    }

    /// What the engine gives when nothing happens.
    private String undisturbed(FakeEngine engine) throws Exception {
        engine.allowAll();
        String whole = LONG.replace(",\"stream\":true", "");
        return fixture.whole(whole).at("/choices/0/message/reasoning_content").stringValue();
    }
}
