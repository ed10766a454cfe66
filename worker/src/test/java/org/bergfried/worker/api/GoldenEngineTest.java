package org.bergfried.worker.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Context;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.bergfried.contract.SystemClock;
import org.bergfried.proto.engine.v1.FinishReason;
import org.bergfried.proto.engine.v1.GenerateRequest;
import org.bergfried.proto.engine.v1.GenerateResponse;
import org.bergfried.proto.engine.v1.ModelCard;
import org.bergfried.proto.engine.v1.Sampling;
import org.bergfried.worker.Golden;
import org.bergfried.worker.dispatch.LocalExperts;
import org.bergfried.worker.engine.Engine;
import org.bergfried.worker.engine.EngineSettings;
import org.bergfried.worker.engine.MemoryLimit;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.choice.BackendChoice;
import org.bergfried.worker.kernel.choice.Backends;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.model.Models;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A whole engine on a golden mixture model, used over gRPC as a router uses it.
class GoldenEngineTest {
    private static final String DIGEST = "cd".repeat(32);
    private static final String NAME = "deepseek_v3";

    private final AtomicReference<Throwable> bug = new AtomicReference<>();
    private final Model model = Models.open(Golden.path(NAME));
    private final Backend expertBackend = Backends.create("scalar", 1);
    private final Engine engine = Engine.open(
            model,
            settings(),
            new MemoryLimit(1L << 30, 1L << 28),
            (opened, limits, host) -> new LocalExperts(expertBackend, opened),
            new SystemClock(),
            (thread, error) -> bug.set(error));
    private final EngineOnLoopback service =
            new EngineOnLoopback(card(), engine.trunk().orElseThrow().batcher());

    @AfterEach
    void stop() {
        service.close();
        engine.close();
        expertBackend.close();
        model.close();
        assertNull(bug.get());
    }

    @Test
    void continuesGreedilyAsTheGoldenModelMust() throws Exception {
        List<Integer> greedy = ids("greedy");
        GenerateRequest request = request(ids("input_ids"), greedy.size())
                .setSampling(Sampling.newBuilder().setTemperature(0).setTopP(1))
                .build();
        List<GenerateResponse> events = service.generate(request);
        assertEquals(greedy, EngineOnLoopback.ids(events));
        assertEquals(
                FinishReason.FINISH_REASON_LENGTH,
                events.getLast().getFinished().getReason());
    }

    @Test
    void drawsTheSameTokensAloneBesideOthersAndAfterKnownOnes() throws Exception {
        GenerateRequest request = request(prompt(90, 1), 60).build();
        List<Integer> alone = service.ids(request);
        try (var clients = Executors.newVirtualThreadPerTaskExecutor()) {
            var others = new ArrayList<Future<List<Integer>>>();
            for (int i = 0; i < 8; i++) {
                GenerateRequest other = request(prompt(1 + 23 * i, 50 + i), 40).build();
                others.add(clients.submit(() -> service.ids(other)));
            }
            assertEquals(alone, service.ids(request));
            for (Future<List<Integer>> other : others) {
                assertEquals(40, other.get(60, TimeUnit.SECONDS).size());
            }
        }
        GenerateRequest resumed =
                request.toBuilder().addAllKnownIds(alone.subList(0, 25)).build();
        assertEquals(alone.subList(25, 60), service.ids(resumed));
    }

    @Test
    void aVanishedClientFreesItsPages() throws Exception {
        int free = service.batcher.load().pagesFree();
        var call = Context.current().withCancellation();
        Iterator<GenerateResponse> events = call.call(() ->
                service.blocking().generate(request(prompt(64, 2), 400).build()));
        events.next();
        assertTrue(service.batcher.load().pagesFree() < free);
        long steps = service.batcher.load().steps();
        call.cancel(null);
        service.awaitAllPagesFree();
        assertTrue(service.batcher.load().steps() - steps < 300, "it ended long before its 400 tokens");
    }

    @Test
    void aClientThatReadsNothingHoldsUpNobody() throws Exception {
        GenerateRequest request = request(prompt(10, 3), 120).build();
        var mute = service.mute(request);
        List<Integer> served = service.ids(request);
        assertEquals(120, served.size());
        assertEquals(0, mute.received.size());
        mute.call.request(100);
        assertTrue(mute.hundred.await(30, TimeUnit.SECONDS));
        assertEquals(served.subList(0, 100), mute.received.subList(0, 100));
        mute.call.cancel("the test is over", null);
        service.awaitAllPagesFree();
    }

    private ModelCard card() {
        return ModelCard.newBuilder()
                .setDigest(DIGEST)
                .setNumericsId("b1-f32-d")
                .setVocabularySize(model.spec().vocabularySize())
                .build();
    }

    private List<Integer> prompt(int length, int seed) {
        int vocabulary = model.spec().vocabularySize();
        return IntStream.range(0, length)
                .mapToObj(i -> (i * 31 + seed * 7) % vocabulary)
                .toList();
    }

    private static GenerateRequest.Builder request(List<Integer> prompt, int tokens) {
        return GenerateRequest.newBuilder()
                .setGenerationId("0123456789abcdef".repeat(2))
                .setAttempt(1)
                .setModelDigest(DIGEST)
                .setNumericsId("b1-f32-d")
                .addAllPromptIds(prompt)
                .setSampling(
                        Sampling.newBuilder().setTemperature(0.9).setTopP(0.95).setSeed(17))
                .setMaxTokens(tokens);
    }

    private static List<Integer> ids(String field) throws IOException {
        String text = Files.readString(Golden.path(NAME).resolve("tokens.json"));
        List<Integer> ids = new ArrayList<>();
        for (JsonNode id : JsonMapper.shared().readTree(text).get(field)) {
            ids.add(id.intValue());
        }
        return ids;
    }

    private static EngineSettings settings() {
        return new EngineSettings(
                "worker-1",
                1,
                "golden",
                BackendChoice.of("scalar", 1),
                true,
                false,
                0,
                OptionalLong.empty(),
                0,
                64,
                16,
                32,
                16,
                32,
                Duration.ofSeconds(60),
                OptionalLong.empty(),
                OptionalLong.empty(),
                1);
    }
}
