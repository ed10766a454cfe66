package org.bergfried.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.ManagedChannel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ConfigLoader;
import org.bergfried.contract.SystemClock;
import org.bergfried.contract.cluster.MemberRole;
import org.bergfried.contract.cluster.MemoryCluster;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.contract.cluster.WorkerAnnouncement.State;
import org.bergfried.contract.tls.Channels;
import org.bergfried.contract.tls.KeepAlive;
import org.bergfried.proto.engine.v1.EngineServiceGrpc;
import org.bergfried.proto.engine.v1.GenerateRequest;
import org.bergfried.proto.engine.v1.GenerateResponse;
import org.bergfried.proto.engine.v1.GetModelCardRequest;
import org.bergfried.proto.engine.v1.ModelCard;
import org.bergfried.proto.engine.v1.Sampling;
import org.bergfried.worker.kernel.choice.BackendChoice;
import org.bergfried.worker.kernel.choice.Backends;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Whole workers in one JVM, with real gRPC between them and a cluster in memory.
class WorkerTest {
    private final SystemClock clock = new SystemClock();
    private final MemoryCluster router = new MemoryCluster(clock, MemberRole.ROUTER);
    private final Channels channels = new Channels(Optional.empty(), KeepAlive.defaults());
    private final List<Worker> workers = new ArrayList<>();

    @TempDir
    private Path data;

    @AfterEach
    void stop() {
        workers.forEach(Worker::close);
        router.close();
        channels.close();
    }

    @Test
    void announcesItselfFollowsThePlacementAndDrains() throws Exception {
        Worker worker = start("worker-1");
        WorkerAnnouncement said = awaitState("worker-1", State.READY);
        assertEquals(worker.grpcAddress(), said.grpcAddress());
        assertEquals(Backends.chosen(BackendChoice.of("auto", 0)), said.backend());
        assertNotEquals("auto", said.backend());
        assertEquals(ServingStatus.SERVING, health(worker));
        assertEquals(200, http(worker, "/readyz"));
        assertEquals(200, http(worker, "/healthz"));
        assertEquals(200, http(worker, "/startupz"));
        assertEquals(404, http(worker, "/startupz/more"));
        assertEquals(404, http(worker, "/readyz/more"));
        assertTrue(router.placements().publish(even(said, 1, List.of("worker-1"))));
        await(() -> announced("worker-1").placementEpochSeen() == 1);
        assertEquals(
                said.facts().expertCount(), announced("worker-1").hotExperts().count());
        worker.drain(Duration.ofSeconds(5));
        awaitState("worker-1", State.DRAINING);
        assertEquals(503, http(worker, "/readyz"));
        worker.close();
        await(() -> router.directory().workers().isEmpty());
    }

    @Test
    void drawsTheSameTokensAloneWithAPeerAndAfterItsDeath() throws Exception {
        Worker first = start("worker-1");
        WorkerAnnouncement said = awaitState("worker-1", State.READY);
        ModelCard card = card(first);
        List<Integer> alone = generate(first, card, 40);
        assertEquals(40, alone.size());
        Worker second = start("worker-2");
        awaitState("worker-2", State.READY);
        router.placements().publish(even(said, 1, List.of("worker-1", "worker-2")));
        await(() -> announced("worker-2").placementEpochSeen() == 1);
        assertEquals(alone, generate(first, card, 40));
        assertEquals(alone, generate(second, card, 40));
        second.close();
        await(() -> router.directory().workers().size() == 1);
        assertEquals(alone, generate(first, card, 40));
    }

    @Test
    void unreadableMemoryIsABugUnlessAModelFileHasChanged() throws Exception {
        Path model = Files.copy(Golden.path("tiny-dsv2-Q8_0.gguf"), data.resolve("model.gguf"));
        Worker worker = start("worker-1", model);
        awaitState("worker-1", State.READY);
        var unreadable = new InternalError("a fault occurred in an unsafe memory access operation");
        assertThrows(AssertionError.class, () -> worker.broke(unreadable));
        assertTrue(worker.ready());
        Files.setLastModifiedTime(model, FileTime.fromMillis(1));
        worker.broke(unreadable);
        awaitState("worker-1", State.FAILED);
        assertEquals(503, http(worker, "/readyz"));
        assertEquals(503, http(worker, "/healthz"));
        assertThrows(AssertionError.class, () -> worker.broke(new IllegalStateException("a bug")));
        worker.drain(Duration.ofSeconds(5));
        assertEquals(State.FAILED, announced("worker-1").state());
    }

    private Worker start(String id) {
        return start(id, Golden.path("deepseek_v3"));
    }

    private Worker start(String id, Path model) {
        WorkerConfig config =
                ConfigLoader.parse(WorkerConfig.class, "test", """
                id: %s
                model: {path: "%s", name: tiny}
                kernels: {build: never}
                backend: auto
                threads: 1
                dataDirectory: "%s"
                grpc: {port: 0}
                http: {port: 0}
                batch: {rowsMax: 64, sequencesMax: 8}
                """.formatted(id, model, data.resolve(id)), Map.of());
        var worker = new Worker(config, clock.wallMillis(), clock, new Worker.Fatal() {
            @Override
            public void bug(Throwable bug) {
                throw new AssertionError("the step loop has a bug", bug);
            }

            @Override
            public void replaced(ClusterException why) {
                throw new AssertionError("replaced", why);
            }
        });
        workers.add(worker);
        worker.start(CompletableFuture.completedFuture(router.join(MemberRole.WORKER)));
        return worker;
    }

    private WorkerAnnouncement awaitState(String id, State state) {
        await(() -> router.directory().workers().stream()
                .anyMatch(worker -> worker.id().equals(id) && worker.state() == state));
        return announced(id);
    }

    private WorkerAnnouncement announced(String id) {
        return router.directory().workers().stream()
                .filter(worker -> worker.id().equals(id))
                .findFirst()
                .orElseThrow();
    }

    private static Placement even(WorkerAnnouncement said, long epoch, List<String> ids) {
        return Placement.even(said.modelDigest(), epoch, "test", ids, said.facts());
    }

    private ServingStatus health(Worker worker) {
        return call(
                worker,
                channel -> HealthGrpc.newBlockingStub(channel)
                        .check(HealthCheckRequest.getDefaultInstance())
                        .getStatus());
    }

    private ModelCard card(Worker worker) {
        return call(worker, channel -> {
            var bytes = new ByteArrayOutputStream();
            EngineServiceGrpc.newBlockingStub(channel)
                    .getModelCard(GetModelCardRequest.getDefaultInstance())
                    .forEachRemaining(piece -> bytes.writeBytes(piece.getPiece().toByteArray()));
            try {
                return ModelCard.parseFrom(bytes.toByteArray());
            } catch (IOException malformed) {
                throw new AssertionError(malformed);
            }
        });
    }

    private List<Integer> generate(Worker worker, ModelCard card, int tokens) {
        GenerateRequest request = GenerateRequest.newBuilder()
                .setGenerationId("00112233445566778899aabbccddeeff")
                .setAttempt(1)
                .setModelDigest(card.getDigest())
                .setNumericsId(card.getNumericsId())
                .addAllPromptIds(List.of(5, 6, 7, 8, 9, 10))
                .setSampling(
                        Sampling.newBuilder().setTemperature(1).setTopP(0.95).setSeed(3))
                .setMaxTokens(tokens)
                .build();
        return call(worker, channel -> {
            var ids = new ArrayList<Integer>();
            EngineServiceGrpc.newBlockingStub(channel).generate(request).forEachRemaining(event -> {
                if (event.getEventCase() == GenerateResponse.EventCase.TOKEN) {
                    ids.add(event.getToken().getId());
                }
            });
            return ids;
        });
    }

    private <T> T call(Worker worker, java.util.function.Function<ManagedChannel, T> use) {
        ManagedChannel channel = channels.channel(worker.grpcAddress(), Channels.Execution.VIRTUAL_THREADS);
        try {
            return use.apply(channel);
        } finally {
            channel.shutdownNow();
        }
    }

    private static int http(Worker worker, String path) throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newHttpClient()) {
            var request = HttpRequest.newBuilder(URI.create("http://" + worker.httpAddress() + path))
                    .build();
            return client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
        }
    }

    private void await(BooleanSupplier holds) {
        long giveUp = clock.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!holds.getAsBoolean()) {
            assertTrue(clock.nanoTime() < giveUp, "it did not happen within 60 s");
            Thread.onSpinWait();
        }
    }
}
