package org.bergfried.router;

import com.google.protobuf.ByteString;
import io.grpc.Server;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.contract.rpc.Statuses;
import org.bergfried.contract.tls.Channels;
import org.bergfried.contract.tls.Channels.Execution;
import org.bergfried.contract.tls.KeepAlive;
import org.bergfried.proto.engine.v1.EngineServiceGrpc;
import org.bergfried.proto.engine.v1.FinishReason;
import org.bergfried.proto.engine.v1.GenerateRequest;
import org.bergfried.proto.engine.v1.GenerateResponse;
import org.bergfried.proto.engine.v1.GetModelCardRequest;
import org.bergfried.proto.engine.v1.GetModelCardResponse;
import org.jspecify.annotations.Nullable;

/// A worker without an engine: real gRPC on loopback, tokens of {@link FakeModel}. Tests decide how many tokens it
/// may produce, and hear what routers do to it.
final class FakeEngine implements AutoCloseable {
    private static final int UNLIMITED = Integer.MAX_VALUE / 2;

    final List<GenerateRequest> requests = new CopyOnWriteArrayList<>();
    final Semaphore opened = new Semaphore(0);
    final Semaphore cancelled = new Semaphore(0);
    private final String id;
    private final FakeModel model;
    private final Semaphore allowed = new Semaphore(0);
    private final HealthStatusManager health = new HealthStatusManager();
    private final Channels channels = new Channels(Optional.empty(), KeepAlive.defaults());
    private final Server server;
    private final long startNumber;
    private volatile @Nullable ClusterException refusal;

    FakeEngine(String id, long startNumber, FakeModel model) throws IOException {
        this.id = id;
        this.startNumber = startNumber;
        this.model = model;
        server = channels.server("127.0.0.1", 0, true, Execution.VIRTUAL_THREADS)
                .addService(new Service())
                .addService(health.getHealthService())
                .build()
                .start();
        setServing(true);
    }

    WorkerAnnouncement announcement() {
        return TestWorkers.at(id, startNumber, "127.0.0.1:" + server.getPort(), FakeModel.DIGEST);
    }

    /// Lets it produce so many more tokens, over all generations.
    void allow(int tokens) {
        allowed.release(tokens);
    }

    void allowAll() {
        allowed.release(UNLIMITED);
    }

    /// Every further generation is refused with this.
    void refuseWith(@Nullable ClusterException error) {
        refusal = error;
    }

    void setServing(boolean serving) {
        health.setStatus("", serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
    }

    /// Ends abruptly: no stream is finished.
    @Override
    public void close() {
        try {
            var _ = server.shutdownNow().awaitTermination(5, java.util.concurrent.TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        channels.close();
    }

    private final class Service extends EngineServiceGrpc.EngineServiceImplBase {
        @Override
        public void getModelCard(GetModelCardRequest request, StreamObserver<GetModelCardResponse> pieces) {
            ByteString card = model.card().toByteString();
            for (int at = 0; at < card.size(); at += 256 << 10) {
                int end = Math.min(card.size(), at + (256 << 10));
                pieces.onNext(GetModelCardResponse.newBuilder()
                        .setPiece(card.substring(at, end))
                        .build());
            }
            pieces.onCompleted();
        }

        @Override
        public void generate(GenerateRequest request, StreamObserver<GenerateResponse> responses) {
            requests.add(request);
            var call = (ServerCallStreamObserver<GenerateResponse>) responses;
            Thread producer = Thread.ofVirtual().unstarted(() -> produce(request, call));
            call.setOnCancelHandler(() -> {
                cancelled.release();
                producer.interrupt();
            });
            opened.release();
            producer.start();
        }

        private void produce(GenerateRequest request, ServerCallStreamObserver<GenerateResponse> call) {
            ClusterException refused = refusal;
            if (refused != null) {
                call.onError(Statuses.toStatus(refused));
                return;
            }
            try {
                int position = request.getKnownIdsCount();
                int token = -1;
                while (position < request.getMaxTokens()
                        && !request.getStopIdsList().contains(token)) {
                    allowed.acquire();
                    token = model.tokenAt(request, position);
                    send(
                            call,
                            event(request)
                                    .setToken(GenerateResponse.Token.newBuilder()
                                            .setPosition(position++)
                                            .setId(token)));
                }
                boolean stopped = request.getStopIdsList().contains(token);
                send(
                        call,
                        event(request)
                                .setFinished(GenerateResponse.Finished.newBuilder()
                                        .setReason(
                                                stopped
                                                        ? FinishReason.FINISH_REASON_STOP
                                                        : FinishReason.FINISH_REASON_LENGTH)
                                        .setTokenCount(position)));
                call.onCompleted();
            } catch (InterruptedException cancelledCall) {
                Thread.currentThread().interrupt();
            }
        }

        private static void send(ServerCallStreamObserver<GenerateResponse> call, GenerateResponse.Builder event)
                throws InterruptedException {
            if (call.isCancelled()) {
                throw new InterruptedException("the router cancelled");
            }
            call.onNext(event.build());
        }

        private static GenerateResponse.Builder event(GenerateRequest request) {
            return GenerateResponse.newBuilder()
                    .setGenerationId(request.getGenerationId())
                    .setAttempt(request.getAttempt());
        }
    }
}
