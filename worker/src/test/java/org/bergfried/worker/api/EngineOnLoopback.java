package org.bergfried.worker.api;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.bergfried.contract.SystemClock;
import org.bergfried.contract.tls.Channels;
import org.bergfried.contract.tls.KeepAlive;
import org.bergfried.proto.engine.v1.EngineServiceGrpc;
import org.bergfried.proto.engine.v1.GenerateRequest;
import org.bergfried.proto.engine.v1.GenerateResponse;
import org.bergfried.proto.engine.v1.GetExpertLoadResponse;
import org.bergfried.proto.engine.v1.ModelCard;
import org.bergfried.worker.batch.Batcher;

/// EngineService on a free loopback port, and a client of it.
final class EngineOnLoopback implements AutoCloseable {
    final SystemClock clock = new SystemClock();
    final Batcher batcher;
    final ManagedChannel channel;
    private final Channels channels = new Channels(Optional.empty(), KeepAlive.defaults());
    private final Server server;

    /// @param batcher stays its owner's.
    EngineOnLoopback(ModelCard card, Batcher batcher) {
        this.batcher = batcher;
        try {
            server = channels.server("127.0.0.1", 0, true, Channels.Execution.VIRTUAL_THREADS)
                    .addService(
                            new EngineGrpc(card, batcher, () -> 7, GetExpertLoadResponse::getDefaultInstance, clock))
                    .build()
                    .start();
        } catch (IOException refused) {
            throw new UncheckedIOException(refused);
        }
        channel = channels.channel("127.0.0.1:" + server.getPort(), Channels.Execution.VIRTUAL_THREADS);
    }

    EngineServiceGrpc.EngineServiceBlockingStub blocking() {
        return EngineServiceGrpc.newBlockingStub(channel);
    }

    List<GenerateResponse> generate(GenerateRequest request) {
        var events = new ArrayList<GenerateResponse>();
        blocking().generate(request).forEachRemaining(events::add);
        return events;
    }

    List<Integer> ids(GenerateRequest request) {
        return ids(generate(request));
    }

    static List<Integer> ids(List<GenerateResponse> events) {
        return events.stream()
                .filter(GenerateResponse::hasToken)
                .map(event -> event.getToken().getId())
                .toList();
    }

    MuteClient mute(GenerateRequest request) {
        var mute = new MuteClient();
        EngineServiceGrpc.newStub(channel).generate(request, mute);
        return mute;
    }

    /// Whether the loop has turned without a step since the last look.
    boolean quiet() {
        long steps = batcher.load().steps();
        long turn = batcher.load().turnNanos();
        await(() -> batcher.load().turnNanos() != turn);
        return batcher.load().steps() == steps;
    }

    void awaitAllPagesFree() {
        await(() -> batcher.load().pagesFree() == batcher.load().pagesTotal());
    }

    void await(BooleanSupplier holds) {
        long giveUp = clock.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!holds.getAsBoolean()) {
            assertTrue(clock.nanoTime() < giveUp, "it did not happen within 30 s");
            Thread.onSpinWait();
        }
    }

    @Override
    public void close() {
        channel.shutdownNow();
        server.shutdownNow();
        channels.close();
    }

    /// Asks for nothing until it is told to.
    static final class MuteClient implements ClientResponseObserver<GenerateRequest, GenerateResponse> {
        final List<Integer> received = new ArrayList<>();
        final CountDownLatch hundred = new CountDownLatch(100);

        @SuppressWarnings("NullAway.Init") // set by beforeStart, before the call begins
        ClientCallStreamObserver<GenerateRequest> call;

        @Override
        public void beforeStart(ClientCallStreamObserver<GenerateRequest> stream) {
            call = stream;
            stream.disableAutoRequestWithInitial(0);
        }

        @Override
        public void onNext(GenerateResponse event) {
            received.add(event.getToken().getId());
            hundred.countDown();
        }

        @Override
        public void onError(Throwable error) {}

        @Override
        public void onCompleted() {}
    }
}
