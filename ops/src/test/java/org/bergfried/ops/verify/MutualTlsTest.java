package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ConfigLoader;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.SystemClock;
import org.bergfried.contract.cluster.MemberRole;
import org.bergfried.contract.cluster.MemoryCluster;
import org.bergfried.contract.rpc.Statuses;
import org.bergfried.contract.tls.Channels;
import org.bergfried.contract.tls.KeepAlive;
import org.bergfried.contract.tls.TlsConfig;
import org.bergfried.proto.engine.v1.EngineServiceGrpc;
import org.bergfried.proto.engine.v1.GetLoadRequest;
import org.bergfried.proto.expert.v1.DispatchResponse;
import org.bergfried.proto.expert.v1.ExpertServiceGrpc;
import org.bergfried.router.Router;
import org.bergfried.router.RouterConfig;
import org.bergfried.worker.Worker;
import org.bergfried.worker.WorkerConfig;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A router and two workers that know each other by certificates, in this process, as one cluster.
@Timeout(180)
final class MutualTlsTest {
    private static final Path MODEL = Path.of("demo-model");
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @TempDir
    private Path folder = Path.of("");

    private final SystemClock clock = new SystemClock();
    private final MemoryCluster cluster = new MemoryCluster(clock, MemberRole.ROUTER);
    private final Deque<Runnable> closing = new ArrayDeque<>();

    @AfterEach
    void closeEverything() {
        closing.forEach(Runnable::run);
        cluster.close();
    }

    @Test
    void onlyRoutersAndWorkersWithACertificateOfTheirRoleAreServed() throws Exception {
        var authority = new TestAuthority(folder);
        Worker first = startWorker("worker-1", authority);
        Worker second = startWorker("worker-2", authority);
        Router router = startRouter(authority);
        var chat = new HttpChat("http://127.0.0.1:" + router.httpPort());
        Await.until(
                "the router is ready",
                PATIENCE,
                () -> chat.post(HttpChat.question("Hello")).statusCode() == 200);
        String answer = chat.post(HttpChat.question("Which city is the capital of Uganda?"))
                .body();
        assertTrue(answer.contains("Kampala"), answer);

        ManagedChannel asRouter = channel(authority.issue("router-7"), first);
        assertTrue(load(asRouter) >= 0);
        ManagedChannel asWorker = channel(authority.issue("worker-7"), second);
        ClusterException engine = refusal(() -> load(asWorker));
        assertEquals(ErrorReason.FORBIDDEN, engine.reason(), engine.text());
        assertTrue(engine.text().contains("worker-7") && engine.text().contains("routerNames"), engine.text());
        ClusterException experts = dispatchRefusal(asRouter);
        assertEquals(ErrorReason.FORBIDDEN, experts.reason(), experts.text());
        assertTrue(experts.text().contains("workerNames"), experts.text());
        ManagedChannel asNobody = channel(authority.issue("someone"), first);
        assertEquals(ErrorReason.FORBIDDEN, refusal(() -> load(asNobody)).reason());
        assertEquals(ErrorReason.FORBIDDEN, dispatchRefusal(asNobody).reason());
        ClusterException anonymous = refusal(() -> load(anonymousChannel(authority.issue("router-8"), first)));
        assertTrue(anonymous.text().contains("TLS: "), anonymous.text());
    }

    private Worker startWorker(String id, TestAuthority authority) throws Exception {
        String yaml = "id: " + id + "\nmodel: {path: " + MODEL
                + ", name: demo}\nthreads: 1\nkernels: {build: never}\ngrpc: {port: 0}\n"
                + "http: {port: 0}\ndataDirectory: " + folder.resolve(id) + "-data\n" + tls(authority.issue(id));
        var worker = new Worker(
                ConfigLoader.parse(WorkerConfig.class, "worker.yaml", yaml, Map.of()), 1, clock, new Surprised());
        closing.push(worker::close);
        worker.start(CompletableFuture.completedFuture(cluster.join(MemberRole.WORKER)));
        return worker;
    }

    private Router startRouter(TestAuthority authority) throws Exception {
        String yaml = "sealKeyFile: unused\nhttp: {port: 0}\ngrpc: {port: 0}\nplacement: {expectedWorkers: 2}\n"
                + tls(authority.issue("router"));
        var router = new Router(
                ConfigLoader.parse(RouterConfig.class, "router.yaml", yaml, Map.of()),
                clock,
                new AtomicLong()::incrementAndGet);
        closing.push(router::close);
        router.join(cluster.join(MemberRole.ROUTER));
        return router;
    }

    private static String tls(TlsConfig files) {
        return "tls: {certificate: " + files.certificate() + ", privateKey: " + files.privateKey() + ", trust: "
                + files.trust() + "}\n";
    }

    private ManagedChannel channel(TlsConfig identity, Worker worker) {
        var channels = new Channels(Optional.of(identity), KeepAlive.defaults());
        ManagedChannel channel = channels.channel(worker.grpcAddress(), Channels.Execution.VIRTUAL_THREADS);
        closing.push(() -> {
            channel.shutdownNow();
            channels.close();
        });
        return channel;
    }

    private ManagedChannel anonymousChannel(TlsConfig files, Worker worker) {
        try {
            var credentials = TlsChannelCredentials.newBuilder()
                    .trustManager(files.trust().toFile())
                    .build();
            ManagedChannel channel =
                    Grpc.newChannelBuilder(worker.grpcAddress(), credentials).build();
            closing.push(channel::shutdownNow);
            return channel;
        } catch (IOException unexpected) {
            throw new UncheckedIOException(unexpected);
        }
    }

    private static int load(ManagedChannel channel) {
        return EngineServiceGrpc.newBlockingStub(channel)
                .withDeadlineAfter(20, TimeUnit.SECONDS)
                .getLoad(GetLoadRequest.getDefaultInstance())
                .getSerializedSize();
    }

    private interface Call {
        void run() throws Exception;
    }

    private static ClusterException refusal(Call call) {
        return Statuses.toException(assertThrows(StatusRuntimeException.class, call::run));
    }

    /// How a stream of experts ends that was opened with a certificate.
    private static ClusterException dispatchRefusal(ManagedChannel channel) throws Exception {
        var end = new CompletableFuture<Void>();
        var requests = ExpertServiceGrpc.newStub(channel)
                .withDeadlineAfter(20, TimeUnit.SECONDS)
                .dispatch(new StreamObserver<DispatchResponse>() {
                    @Override
                    public void onNext(DispatchResponse response) {}

                    @Override
                    public void onError(Throwable failure) {
                        end.completeExceptionally(failure);
                    }

                    @Override
                    public void onCompleted() {
                        end.complete(null);
                    }
                });
        var failed = assertThrows(ExecutionException.class, () -> end.get(30, TimeUnit.SECONDS));
        requests.onCompleted();
        Throwable cause = failed.getCause();
        return Statuses.toException(cause == null ? failed : cause);
    }
}
