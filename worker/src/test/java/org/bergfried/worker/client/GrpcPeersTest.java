package org.bergfried.worker.client;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerServiceDefinition;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.bergfried.contract.SystemClock;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.rpc.ExpertFrames;
import org.bergfried.contract.rpc.WireFrame;
import org.bergfried.contract.tensor.CreditFrame;
import org.bergfried.contract.tensor.DispatchClass;
import org.bergfried.contract.tensor.DispatchFrame;
import org.bergfried.contract.tensor.FrameKind;
import org.bergfried.contract.tensor.HelloFrame;
import org.bergfried.contract.tensor.RowEncoding;
import org.bergfried.contract.tls.Channels;
import org.bergfried.contract.tls.KeepAlive;
import org.bergfried.worker.dispatch.Check;
import org.bergfried.worker.dispatch.ClusterDispatcher;
import org.bergfried.worker.dispatch.DispatchSettings;
import org.bergfried.worker.dispatch.Inbox;
import org.bergfried.worker.dispatch.Peer;
import org.bergfried.worker.expert.ExpertHost;
import org.bergfried.worker.expert.ExpertSizes;
import org.bergfried.worker.expert.ExpertStore;
import org.bergfried.worker.expert.HostSettings;
import org.bergfried.worker.expert.SyntheticModel;
import org.bergfried.worker.expert.Workload;
import org.bergfried.worker.kernel.choice.Backends;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// The trunk's side of the step protocol against hosts that do not play by the rules.
final class GrpcPeersTest {
    private static final long SEED = 21;
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final SyntheticModel model = new SyntheticModel(SyntheticModel.Types.CODES, 64, 32, 8, SEED);
    private final Channels channels = new Channels(Optional.empty(), KeepAlive.defaults());
    private final Inbox inbox = new Inbox();
    private final GrpcPeers peers = new GrpcPeers(
            peer -> channels.channel(peer.address(), Channels.Execution.DIRECT),
            this::hello,
            64,
            2,
            inbox,
            new SplittableRandom(SEED));

    @AfterEach
    void close() {
        peers.close();
        channels.close();
    }

    @Test
    void aHostThatComesBackIsFoundAgain() throws Exception {
        Server first = start(0, "other", 1, new AtomicInteger());
        int port = first.getPort();
        peers.update(List.of(new PeerAddress("other", "127.0.0.1:" + port, 1)));
        assertTrue(peers.awaitLiving(1, PATIENCE));
        stop(first);
        assertTrue(peers.awaitGone(PATIENCE));
        Server second = start(port, "other", 1, new AtomicInteger());
        assertTrue(peers.awaitLiving(1, PATIENCE));
        peers.update(List.of());
        assertTrue(peers.awaitGone(PATIENCE));
        stop(second);
    }

    @Test
    void anotherStartOfTheWorkerIsNotSpokenTo() throws Exception {
        Server server = start(0, "other", 2, new AtomicInteger());
        String address = "127.0.0.1:" + server.getPort();
        peers.update(List.of(new PeerAddress("other", address, 1)));
        assertFalse(peers.awaitLiving(1, Duration.ofMillis(500)));
        peers.update(List.of(new PeerAddress("other", address, 2)));
        assertTrue(peers.awaitLiving(1, PATIENCE));
        stop(server);
    }

    @Test
    void noMoreHostsAreUsedThanThereIsMemoryFor() throws Exception {
        var servers = new ArrayList<Server>();
        var addresses = new ArrayList<PeerAddress>();
        for (String id : List.of("a", "b", "c")) {
            Server server = start(0, id, 1, new AtomicInteger());
            servers.add(server);
            addresses.add(new PeerAddress(id, "127.0.0.1:" + server.getPort(), 1));
        }
        peers.update(addresses);
        assertTrue(peers.awaitLiving(2, PATIENCE));
        assertFalse(peers.awaitLiving(3, Duration.ofMillis(300)));
        peers.update(addresses.subList(1, 3));
        assertTrue(peers.awaitLiving(2, PATIENCE));
        for (Server server : servers) {
            stop(server);
        }
    }

    @Test
    void aStreamThatWasResetTakesNothingMore() throws Exception {
        Server silent = start(0, "other", 1, new AtomicInteger());
        peers.update(List.of(new PeerAddress("other", "127.0.0.1:" + silent.getPort(), 1)));
        assertTrue(peers.awaitLiving(1, PATIENCE));
        Peer peer = Objects.requireNonNull(peers.living(DispatchClass.DECODE).get("other"));
        var header = new DispatchFrame.Header(
                1,
                1,
                1,
                DispatchClass.DECODE,
                RowEncoding.FLOATS,
                false,
                HelloFrame.modelTag(model.digest()),
                HelloFrame.numericsTag(model.numericsId()),
                1,
                1000,
                1,
                1,
                64);
        assertTrue(peer.send(header, frame -> {}));
        peer.reset("it is silent");
        assertFalse(peer.send(header, frame -> {}), "also before the network has said that the stream is over");
        stop(silent);
    }

    @Test
    void aHostThatNeverAnswersTimesOutAndItsRowsAreComputedElsewhere() throws Exception {
        var dispatches = new AtomicInteger();
        Server silent = start(0, "other", 1, dispatches);
        peers.update(List.of(new PeerAddress("other", "127.0.0.1:" + silent.getPort(), 1)));
        assertTrue(peers.awaitLiving(1, PATIENCE));
        var placement =
                Placement.even(model.digest(), 1, "p", List.of("other", "self"), ExpertStore.facts(model.spec()));
        var settings =
                new DispatchSettings(Duration.ofMillis(200), Duration.ofSeconds(10), Duration.ofMillis(2), 3, 64);
        var backend = Backends.create("scalar", 1);
        var store = new ExpertStore(
                model, backend, ExpertStore.Budget.wholeModel(ExpertSizes.onCpu(model)), ExpertStore.Verifier.NONE);
        var host = new ExpertHost(model, store, backend, HostSettings.defaults("self", 1), new SystemClock());
        store.install(placement.expertsOn("self")).done().join();
        var dispatcher = new ClusterDispatcher(
                model, host, peers, inbox, () -> placement, settings, new SystemClock(), new SplittableRandom(SEED));
        Check.equalsTwin(dispatcher, new Workload(model, 1, 20, SEED));
        assertTrue(dispatches.get() > 0, "the silent host was not asked");
        dispatcher.close();
        host.close();
        store.close();
        backend.close();
        stop(silent);
    }

    private HelloFrame hello(DispatchClass dispatchClass) {
        return HelloFrame.of("self", 1, model.digest(), model.numericsId(), dispatchClass, 64);
    }

    /// A host that greets, grants credit and never answers a dispatch.
    private Server start(int port, String workerId, long startNumber, AtomicInteger dispatches) throws IOException {
        var service = ServerServiceDefinition.builder(ExpertFrames.service())
                .addMethod(ExpertFrames.DISPATCH, (call, headers) -> {
                    call.sendHeaders(new Metadata());
                    call.request(1000);
                    return new ServerCall.Listener<>() {
                        @Override
                        public void onMessage(WireFrame message) {
                            byte[] bytes = new byte[message.open()];
                            message.copyTo(MemorySegment.ofArray(bytes));
                            MemorySegment frame = MemorySegment.ofArray(bytes);
                            if (FrameKind.of(frame) == FrameKind.HELLO) {
                                DispatchClass dispatchClass =
                                        HelloFrame.parse(frame).dispatchClass();
                                send(
                                        call,
                                        HelloFrame.of(
                                                        workerId,
                                                        startNumber,
                                                        model.digest(),
                                                        model.numericsId(),
                                                        dispatchClass,
                                                        64)
                                                .encode());
                                send(call, new CreditFrame(16).encode());
                            } else {
                                dispatches.incrementAndGet();
                            }
                        }
                    };
                })
                .build();
        return channels.server("127.0.0.1", port, false, Channels.Execution.DIRECT)
                .addService(service)
                .build()
                .start();
    }

    private static void send(ServerCall<WireFrame, WireFrame> call, byte[] bytes) {
        call.sendMessage(WireFrame.outgoing(bytes, bytes.length));
    }

    private static void stop(Server server) throws InterruptedException {
        assertTrue(server.shutdownNow().awaitTermination(10, TimeUnit.SECONDS));
    }
}
