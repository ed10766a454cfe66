package org.bergfried.worker.api;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.Limits;
import org.bergfried.contract.SystemClock;
import org.bergfried.contract.rpc.Statuses;
import org.bergfried.proto.engine.v1.FinishReason;
import org.bergfried.proto.engine.v1.GenerateRequest;
import org.bergfried.proto.engine.v1.GenerateResponse;
import org.bergfried.proto.engine.v1.GetLoadRequest;
import org.bergfried.proto.engine.v1.GetModelCardRequest;
import org.bergfried.proto.engine.v1.ModelCard;
import org.bergfried.proto.engine.v1.Sampling;
import org.bergfried.worker.batch.BatchLimits;
import org.bergfried.worker.batch.Batcher;
import org.bergfried.worker.batch.FakePages;
import org.bergfried.worker.batch.FakeRunner;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// EngineService over a real gRPC connection on loopback, before a batch whose logits are made up.
class EngineGrpcTest {
    private static final String DIGEST = "ab".repeat(32);
    private static final int CONTEXT = 60_000;

    private final FakePages pages = new FakePages(2000);
    private final FakeRunner runner = new FakeRunner(pages, 64);
    private final Batcher batcher = new Batcher(
            runner,
            pages,
            new BatchLimits(CONTEXT, 64, 16, 16, 8, Duration.ofSeconds(60)),
            new SystemClock(),
            (thread, error) -> {});
    private final EngineOnLoopback engine = new EngineOnLoopback(card(), batcher);

    @AfterEach
    void stop() {
        engine.close();
        batcher.close();
    }

    @Test
    void streamsTokensWithPositionsAndAnEnd() {
        List<GenerateResponse> events = engine.generate(valid().setMaxTokens(5).build());
        assertEquals(6, events.size());
        for (int i = 0; i < 5; i++) {
            assertEquals(i, events.get(i).getToken().getPosition());
            assertEquals(3, events.get(i).getAttempt());
            assertEquals("0123456789abcdef".repeat(2), events.get(i).getGenerationId());
        }
        assertEquals(
                FinishReason.FINISH_REASON_LENGTH, events.get(5).getFinished().getReason());
        assertEquals(5, events.get(5).getFinished().getTokenCount());
    }

    @Test
    void goesOnAfterKnownTokensAsIfUndisturbed() {
        List<Integer> whole =
                EngineOnLoopback.ids(engine.generate(valid().setMaxTokens(30).build()));
        List<GenerateResponse> rest = engine.generate(
                valid().setMaxTokens(30).addAllKnownIds(whole.subList(0, 11)).build());
        assertEquals(11, rest.getFirst().getToken().getPosition());
        assertEquals(whole.subList(11, 30), EngineOnLoopback.ids(rest));
    }

    @Test
    void refusesBrokenRequestsByNameValueAndLimit() {
        assertRefused(valid().setGenerationId("XYZ"), ErrorReason.INVALID_REQUEST, "generation_id");
        assertRefused(valid().setAttempt(0), ErrorReason.INVALID_REQUEST, "attempt = 0");
        assertRefused(valid().setModelDigest("cd".repeat(32)), ErrorReason.MODEL_NOT_FOUND, "cdcd");
        assertRefused(valid().setNumericsId("b2-f32-d"), ErrorReason.MODEL_NOT_FOUND, "b2-f32-d");
        assertRefused(valid().clearPromptIds(), ErrorReason.INVALID_REQUEST, "prompt_ids is empty");
        assertRefused(valid().addPromptIds(40), ErrorReason.INVALID_REQUEST, "prompt_ids[3] = 40 must be below");
        assertRefused(valid().addPromptIds(-1), ErrorReason.INVALID_REQUEST, "prompt_ids[3] = 4294967295");
        assertRefused(valid().addKnownIds(99), ErrorReason.INVALID_REQUEST, "known_ids[0] = 99");
        assertRefused(valid().setMaxTokens(0), ErrorReason.INVALID_REQUEST, "max_tokens = 0");
        assertRefused(valid().setMaxTokens(-1), ErrorReason.INVALID_REQUEST, "max_tokens = 4294967295");
        assertRefused(valid().setDeadlineMillis(-5), ErrorReason.INVALID_REQUEST, "deadline_millis = -5");
        assertRefused(valid().clearSampling(), ErrorReason.INVALID_REQUEST, "sampling is missing");
        assertRefused(
                valid().setSampling(warm().setTemperature(Double.NaN)),
                ErrorReason.INVALID_REQUEST,
                "temperature = NaN must be from 0 to 2");
        assertRefused(
                valid().setSampling(warm().setTemperature(Double.POSITIVE_INFINITY)),
                ErrorReason.INVALID_REQUEST,
                "temperature = Infinity");
        assertRefused(
                valid().setSampling(warm().setTopP(0)), ErrorReason.INVALID_REQUEST, "top_p = 0.0 must be above 0");
        GenerateRequest.Builder stops = valid();
        for (int i = 0; i <= Limits.STOP_IDS; i++) {
            stops.addStopIds(i);
        }
        assertRefused(stops, ErrorReason.INVALID_REQUEST, "stop_ids has 65 ids; the limit is 64");
        assertEquals(4, engine.generate(valid().setMaxTokens(3).build()).size(), "it still serves");
    }

    @Test
    void refusesAPromptLongerThanTheContext() {
        GenerateRequest.Builder tooLong = valid();
        for (int i = 0; i < CONTEXT; i++) {
            tooLong.addPromptIds(i % 30);
        }
        assertRefused(tooLong, ErrorReason.CONTEXT_TOO_LONG, String.valueOf(CONTEXT));
    }

    @Test
    void cancellingTheCallFreesThePages() throws Exception {
        var call = Context.current().withCancellation();
        Iterator<GenerateResponse> events = call.call(
                () -> engine.blocking().generate(valid().setMaxTokens(50_000).build()));
        events.next();
        assertTrue(batcher.load().pagesFree() < 2000);
        call.cancel(null);
        engine.awaitAllPagesFree();
    }

    @Test
    void aClientThatReadsNothingHoldsUpNobody() throws Exception {
        var mute = engine.mute(valid().setMaxTokens(50_000).build());
        List<Integer> served =
                EngineOnLoopback.ids(engine.generate(valid().setMaxTokens(2_000).build()));
        assertEquals(2_000, served.size());
        assertEquals(0, mute.received.size());
        engine.await(() -> batcher.load().running() == 1 && engine.quiet());
        mute.call.request(100);
        assertTrue(mute.hundred.await(20, TimeUnit.SECONDS));
        assertEquals(served.subList(0, 100), mute.received.subList(0, 100));
        mute.call.cancel("the test is over", null);
        engine.awaitAllPagesFree();
    }

    @Test
    void theDeadlineEndsTheCall() {
        GenerateRequest.Builder late = valid().setMaxTokens(50_000).setDeadlineMillis(50);
        assertRefused(late, ErrorReason.DEADLINE, "deadline");
    }

    @Test
    void theCardComesInPieces() throws Exception {
        var bytes = new ByteArrayOutputStream();
        int pieces = 0;
        Iterator<org.bergfried.proto.engine.v1.GetModelCardResponse> answer =
                engine.blocking().getModelCard(GetModelCardRequest.getDefaultInstance());
        while (answer.hasNext()) {
            ByteString piece = answer.next().getPiece();
            assertTrue(piece.size() <= 256 << 10);
            piece.writeTo(bytes);
            pieces++;
        }
        assertEquals(12, pieces);
        assertArrayEquals(card().toByteArray(), bytes.toByteArray());
    }

    @Test
    void tellsItsLoad() {
        var load = engine.blocking().getLoad(GetLoadRequest.getDefaultInstance());
        assertEquals(2000, load.getPagesTotal());
        assertEquals(2000, load.getPagesFree());
        assertEquals(7, load.getPlacementEpoch());
    }

    private static ModelCard card() {
        byte[] tokenizer = new byte[3_000_000];
        new Random(1).nextBytes(tokenizer);
        return ModelCard.newBuilder()
                .setDigest(DIGEST)
                .setNumericsId("b1-f32-d")
                .setVocabularySize(FakeRunner.VOCABULARY)
                .setContextLength(CONTEXT)
                .setTokenizerJson(ByteString.copyFrom(tokenizer))
                .build();
    }

    private static Sampling.Builder warm() {
        return Sampling.newBuilder()
                .setTemperature(0.8)
                .setTopP(0.9)
                .setTopK(20)
                .setSeed(11);
    }

    private static GenerateRequest.Builder valid() {
        return GenerateRequest.newBuilder()
                .setGenerationId("0123456789abcdef".repeat(2))
                .setAttempt(3)
                .setModelDigest(DIGEST)
                .setNumericsId("b1-f32-d")
                .addPromptIds(1)
                .addPromptIds(2)
                .addPromptIds(3)
                .setSampling(warm())
                .setMaxTokens(10);
    }

    private void assertRefused(GenerateRequest.Builder request, ErrorReason reason, String part) {
        var status = assertThrows(StatusRuntimeException.class, () -> engine.generate(request.build()));
        ClusterException refusal = Statuses.toException(status);
        assertEquals(reason, refusal.reason(), refusal.text());
        assertTrue(refusal.text().contains(part), refusal.text());
    }
}
