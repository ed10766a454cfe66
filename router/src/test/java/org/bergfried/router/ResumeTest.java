package org.bergfried.router;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.bergfried.contract.cluster.MemberRole;
import org.bergfried.contract.tls.Channels;
import org.bergfried.contract.tls.KeepAlive;
import org.bergfried.proto.inference.v1.AnswerEvent;
import org.bergfried.proto.inference.v1.ChatRequest;
import org.bergfried.proto.inference.v1.ChatResponse;
import org.bergfried.proto.inference.v1.InferenceServiceGrpc;
import org.bergfried.proto.inference.v1.Message;
import org.bergfried.proto.inference.v1.Options;
import org.bergfried.proto.inference.v1.ResumeRequest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Resume over gRPC: after a broken connection, under the same router and under another one.
@Timeout(60)
final class ResumeTest {
    private final RouterFixture fixture = new RouterFixture();
    private final Channels channels = new Channels(Optional.empty(), KeepAlive.defaults());
    private final List<ManagedChannel> open = new ArrayList<>();

    @AfterEach
    void stop() {
        open.forEach(ManagedChannel::shutdownNow);
        fixture.close();
        channels.close();
    }

    @Test
    void resumesAfterAPositionWithoutALossOrARepeat() throws Exception {
        FakeEngine engine = fixture.startEngine("w1", 1);
        Router router = fixture.startRouter("");
        engine.allowAll();
        List<AnswerEvent> whole = chat(router);
        String id = whole.getFirst().getStarted().getGenerationId();
        int middle = whole.get(whole.size() / 2).getDelta().getPosition();
        List<AnswerEvent> rest = resume(router, id, middle);
        assertEquals(whole.subList(whole.size() / 2 + 1, whole.size()), rest.subList(1, rest.size()));
        assertEquals(whole.getFirst(), rest.getFirst(), "the start is told again");
        assertEquals(1, engine.requests.size(), "a finished generation needs no home");
    }

    @Test
    void anotherRouterGoesOnWithWhatARouterLeft() throws Exception {
        FakeEngine engine = fixture.startEngine("w1", 1);
        Router first = fixture.startRouter("");
        Router second = fixture.startRouter("", fixture.cluster.join(MemberRole.ROUTER));
        engine.allow(40);
        Iterator<ChatResponse> events = stub(first).chat(request());
        var seen = new ArrayList<AnswerEvent>();
        while (seen.size() < 20) {
            seen.add(events.next().getEvent());
        }
        first.close();
        engine.allowAll();
        String id = seen.getFirst().getStarted().getGenerationId();
        List<AnswerEvent> rest = resume(second, id, seen.getLast().getDelta().getPosition());
        seen.addAll(rest.subList(1, rest.size()));
        assertEquals(texts(chat(second)), texts(seen));
        assertTrue(engine.requests.get(1).getAttempt() >= 2, "a resumed generation has a later attempt");
    }

    @Test
    void aSecondClientTakesARunningAnswerOver() throws Exception {
        FakeEngine engine = fixture.startEngine("w1", 1);
        Router router = fixture.startRouter("");
        engine.allow(30);
        Iterator<ChatResponse> events = stub(router).chat(request());
        String id = events.next().getEvent().getStarted().getGenerationId();
        events.next();
        Iterator<AnswerEvent> taken = resumeEvents(router, id);
        assertEquals(id, taken.next().getStarted().getGenerationId());
        engine.allowAll();
        var all = new ArrayList<AnswerEvent>();
        taken.forEachRemaining(all::add);
        assertEquals("length", all.getLast().getFinished().getReason());
        assertEquals(1, engine.requests.size(), "the running attempt goes on");
        var lost = assertThrows(StatusRuntimeException.class, () -> events.forEachRemaining(event -> {}));
        assertEquals(Status.Code.CANCELLED, lost.getStatus().getCode());
    }

    @Test
    void refusesAnUnknownGeneration() throws Exception {
        fixture.startEngine("w1", 1);
        Router router = fixture.startRouter("");
        var refused =
                assertThrows(StatusRuntimeException.class, () -> resume(router, "0123456789abcdef0123456789abcdef", 0));
        assertEquals(Status.Code.NOT_FOUND, refused.getStatus().getCode());
    }

    private List<AnswerEvent> chat(Router router) {
        var events = new ArrayList<AnswerEvent>();
        stub(router).chat(request()).forEachRemaining(event -> events.add(event.getEvent()));
        return events;
    }

    private List<AnswerEvent> resume(Router router, String id, int after) {
        var request = ResumeRequest.newBuilder().setGenerationId(id).setAfterPosition(after);
        var events = new ArrayList<AnswerEvent>();
        stub(router).resume(request.build()).forEachRemaining(event -> events.add(event.getEvent()));
        return events;
    }

    private Iterator<AnswerEvent> resumeEvents(Router router, String id) {
        var events = stub(router)
                .resume(ResumeRequest.newBuilder().setGenerationId(id).build());
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return events.hasNext();
            }

            @Override
            public AnswerEvent next() {
                return events.next().getEvent();
            }
        };
    }

    private static String texts(List<AnswerEvent> events) {
        var text = new StringBuilder();
        events.forEach(event -> text.append(event.getDelta().getReasoning())
                .append(event.getDelta().getContent()));
        return text.toString();
    }

    private InferenceServiceGrpc.InferenceServiceBlockingStub stub(Router router) {
        ManagedChannel channel = channels.channel("127.0.0.1:" + router.grpcPort(), Channels.Execution.VIRTUAL_THREADS);
        open.add(channel);
        return InferenceServiceGrpc.newBlockingStub(channel);
    }

    private static ChatRequest request() {
        return ChatRequest.newBuilder()
                .addMessages(Message.newBuilder().setRole("user").setContent("What is the capital of Kenya?"))
                .setOptions(Options.newBuilder().setSeed(3).setMaxTokens(80))
                .build();
    }
}
