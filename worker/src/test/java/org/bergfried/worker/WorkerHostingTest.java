package org.bergfried.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ConfigLoader;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.SystemClock;
import org.bergfried.contract.cluster.MemberRole;
import org.bergfried.contract.cluster.MemoryCluster;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.contract.rpc.Statuses;
import org.bergfried.contract.tls.Channels;
import org.bergfried.contract.tls.KeepAlive;
import org.bergfried.proto.engine.v1.EngineServiceGrpc;
import org.bergfried.proto.engine.v1.GetExpertLoadRequest;
import org.bergfried.proto.expert.v1.DrainRequest;
import org.bergfried.proto.expert.v1.EvictRequest;
import org.bergfried.proto.expert.v1.EvictResponse;
import org.bergfried.proto.expert.v1.EvictState;
import org.bergfried.proto.expert.v1.ExpertIds;
import org.bergfried.proto.expert.v1.GetHostingRequest;
import org.bergfried.proto.expert.v1.GetHostingResponse;
import org.bergfried.proto.expert.v1.HostingServiceGrpc;
import org.bergfried.proto.expert.v1.HostingServiceGrpc.HostingServiceBlockingStub;
import org.bergfried.proto.expert.v1.InstallRequest;
import org.bergfried.proto.expert.v1.InstallResponse;
import org.bergfried.proto.expert.v1.InstallState;
import org.bergfried.proto.expert.v1.PlanCommand;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.model.Models;
import org.bergfried.worker.weights.DigestCache;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Commands of routers to whole workers, each with model files of its own, over real gRPC.
class WorkerHostingTest {
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
    void installsDrainsAndEvictsByCommandAndAnnouncesIt() throws IOException {
        start("worker-1");
        start("worker-2");
        int layer = announced("worker-1").facts().moeLayers().getFirst();
        var installed = install("worker-1", 1, "p", layer, List.of(0, 1), List.of());
        assertEquals(
                List.of(InstallState.INSTALL_STATE_LOADING, InstallState.INSTALL_STATE_INSTALLED),
                states(installed, 0));
        assertEquals(2, installed.getLast().getDone());
        assertEquals(2, installed.getLast().getTotal());
        await(() -> announced("worker-1").hotExperts().contains(layer, 1));
        install("worker-2", 1, "p", layer, List.of(1), List.of());

        assertTrue(call(
                        "worker-1",
                        service -> service.drain(DrainRequest.newBuilder()
                                .setCommand(command(1, "p"))
                                .addExperts(ids(layer, List.of(0, 1)))
                                .build()))
                .getDrained());
        EvictResponse evicted = evict("worker-1", 1, "p", layer, "worker-2", 0, 1);
        assertEquals(EvictState.EVICT_STATE_KEPT, evicted.getOutcomes(0).getState());
        assertTrue(evicted.getOutcomes(0).getMessage().contains("worker-2"));
        assertEquals(EvictState.EVICT_STATE_EVICTED, evicted.getOutcomes(1).getState());
        await(() -> !announced("worker-1").hotExperts().contains(layer, 1));

        GetHostingResponse hosting = hosting("worker-1");
        assertEquals(List.of(0), hosting.getLayers(0).getHotExpertsList());
        assertEquals("worker-1", hosting.getWorkerId());
        assertEquals(List.of(1L, "p"), List.of(hosting.getEpoch(), hosting.getPlanId()));
        var late =
                assertThrows(StatusRuntimeException.class, () -> evict("worker-1", 1, "other", layer, "worker-2", 0));
        assertEquals(ErrorReason.STALE_PLAN, Statuses.toException(late).reason());
        assertEquals("p", Statuses.toException(late).metadata().get("planId"));
    }

    @Test
    void anExpertThatIsCorruptHereIsFetchedFromAPeerAndOneThatIsCorruptThereTooIsRefusedByName() throws IOException {
        start("worker-1");
        start("worker-2");
        int layer = announced("worker-1").facts().moeLayers().getFirst();
        corrupt("worker-1", layer, 2);
        corrupt("worker-1", layer, 3);
        corrupt("worker-2", layer, 3);
        var messages = install("worker-1", 1, "p", layer, List.of(2, 3, 4), List.of("nobody", "worker-2"));
        assertEquals(
                List.of(
                        InstallState.INSTALL_STATE_LOADING,
                        InstallState.INSTALL_STATE_FETCHING,
                        InstallState.INSTALL_STATE_FETCHING,
                        InstallState.INSTALL_STATE_INSTALLED),
                states(messages, 2));
        InstallResponse refused = messages.stream()
                .filter(message -> message.getState() == InstallState.INSTALL_STATE_FAILED)
                .findFirst()
                .orElseThrow();
        assertEquals(3, refused.getExpert());
        assertEquals("WEIGHTS_CORRUPT", refused.getReason());
        for (String named : List.of(
                "expert 3 of layer " + layer,
                "experts.3.gate_proj.weight in ",
                ".safetensors",
                "worker worker-2",
                "no worker nobody")) {
            assertTrue(refused.getMessage().contains(named), refused.getMessage());
        }
        assertEquals(List.of(2, 4), hosting("worker-1").getLayers(0).getHotExpertsList());
        try (var left = Files.list(data.resolve("worker-1/fetched"))) {
            assertEquals(0, left.count());
        }
    }

    @Test
    void aProbeOfReadinessIsNoLoadOfTheTrunk() throws IOException {
        Worker worker = start("worker-1");
        await(worker::ready); // by a probe of one token
        var load = engineCall(worker);
        assertTrue(load.getStartNumber() > 0);
        assertTrue(load.getLayersCount() > 0);
        for (var layer : load.getLayersList()) {
            assertEquals(announced("worker-1").facts().expertsPerLayer(), layer.getRowsCount());
            assertEquals(
                    0, layer.getRowsList().stream().mapToLong(Long::longValue).sum());
        }
    }

    private org.bergfried.proto.engine.v1.GetExpertLoadResponse engineCall(Worker worker) {
        ManagedChannel channel = channels.channel(worker.grpcAddress(), Channels.Execution.VIRTUAL_THREADS);
        try {
            return EngineServiceGrpc.newBlockingStub(channel).getExpertLoad(GetExpertLoadRequest.getDefaultInstance());
        } finally {
            channel.shutdownNow();
        }
    }

    private List<InstallResponse> install(
            String workerId, long epoch, String planId, int layer, List<Integer> experts, List<String> sources) {
        return call(workerId, service -> {
            var messages = new ArrayList<InstallResponse>();
            service.install(InstallRequest.newBuilder()
                            .setCommand(command(epoch, planId))
                            .addExperts(ids(layer, experts))
                            .addAllSourceWorkerIds(sources)
                            .build())
                    .forEachRemaining(messages::add);
            return messages;
        });
    }

    private EvictResponse evict(
            String workerId, long epoch, String planId, int layer, String acknowledgedBy, int... experts) {
        var request = EvictRequest.newBuilder().setCommand(command(epoch, planId));
        for (int expert : experts) {
            request.addEvictionsBuilder().setLayer(layer).setExpert(expert).setAcknowledgedBy(acknowledgedBy);
        }
        return call(workerId, service -> service.evict(request.build()));
    }

    private GetHostingResponse hosting(String workerId) {
        return call(workerId, service -> service.getHosting(GetHostingRequest.getDefaultInstance()));
    }

    private static List<InstallState> states(List<InstallResponse> messages, int expert) {
        return messages.stream()
                .filter(message -> message.getExpert() == expert)
                .map(InstallResponse::getState)
                .toList();
    }

    private PlanCommand command(long epoch, String planId) {
        return PlanCommand.newBuilder()
                .setModelDigest(announced("worker-1").modelDigest())
                .setEpoch(epoch)
                .setPlanId(planId)
                .build();
    }

    private static ExpertIds ids(int layer, List<Integer> experts) {
        return ExpertIds.newBuilder().setLayer(layer).addAllExperts(experts).build();
    }

    private <T> T call(String workerId, Function<HostingServiceBlockingStub, T> use) {
        ManagedChannel channel =
                channels.channel(announced(workerId).grpcAddress(), Channels.Execution.VIRTUAL_THREADS);
        try {
            return use.apply(HostingServiceGrpc.newBlockingStub(channel).withDeadlineAfter(60, TimeUnit.SECONDS));
        } finally {
            channel.shutdownNow();
        }
    }

    private Worker start(String id) throws IOException {
        Path model = data.resolve(id + "-model");
        Files.createDirectories(model);
        try (var files = Files.list(Golden.path("deepseek_v3"))) {
            for (Path file : files.toList()) {
                Files.copy(file, model.resolve(String.valueOf(file.getFileName())));
            }
        }
        WorkerConfig config =
                ConfigLoader.parse(WorkerConfig.class, "test", """
                id: %s
                model: {path: "%s", name: tiny}
                kernels: {build: never}
                threads: 1
                dataDirectory: "%s"
                grpc: {port: 0}
                http: {port: 0}
                batch: {rowsMax: 64, sequencesMax: 8}
                """.formatted(id, model, data.resolve(id)), Map.of());
        var worker = new Worker(config, clock.wallMillis(), clock, new Worker.Fatal() {
            @Override
            public void bug(Throwable bug) {
                throw new AssertionError("the worker has a bug", bug);
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

    /// Turns a bit of an expert's first tensor in a running worker's file, as a bad disk does: the file looks
    /// unchanged.
    private void corrupt(String workerId, int layer, int expert) throws IOException {
        Path directory = data.resolve(workerId + "-model");
        byte[] wanted;
        try (Model model = Models.open(directory, DigestCache.none())) {
            wanted = model.storedExpert(layer, expert).getFirst().bytes().toArray(ValueLayout.JAVA_BYTE);
        }
        try (var files = Files.list(directory)) {
            for (Path file : files.filter(path -> path.toString().endsWith(".safetensors"))
                    .toList()) {
                byte[] all = Files.readAllBytes(file);
                int at = indexOf(all, wanted);
                if (at >= 0) {
                    FileTime modified = Files.getLastModifiedTime(file);
                    try (var writable = new RandomAccessFile(file.toFile(), "rw")) {
                        writable.seek(at);
                        writable.write(all[at] ^ 1);
                    }
                    Files.setLastModifiedTime(file, modified);
                    return;
                }
            }
        }
        throw new AssertionError("no file has the expert");
    }

    private static int indexOf(byte[] all, byte[] part) {
        for (int at = 0; at + part.length <= all.length; at++) {
            if (all[at] == part[0] && Arrays.equals(all, at, at + part.length, part, 0, part.length)) {
                return at;
            }
        }
        return -1;
    }

    private WorkerAnnouncement announced(String id) {
        return router.directory().workers().stream()
                .filter(worker -> worker.id().equals(id))
                .findFirst()
                .orElseThrow();
    }

    private void await(java.util.function.BooleanSupplier holds) {
        long giveUp = clock.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!holds.getAsBoolean()) {
            assertTrue(clock.nanoTime() < giveUp, "it did not happen within 60 s");
            Thread.onSpinWait();
        }
    }
}
