package org.bergfried.worker.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.ProtoFileDescriptorSupplier;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.bergfried.contract.Clock;
import org.bergfried.contract.cluster.ExpertSet;
import org.bergfried.contract.rpc.ExpertFrames;
import org.bergfried.contract.tensor.CreditFrame;
import org.bergfried.contract.tensor.DispatchClass;
import org.bergfried.contract.tensor.DispatchFrame;
import org.bergfried.contract.tensor.FrameKind;
import org.bergfried.contract.tensor.HelloFrame;
import org.bergfried.contract.tensor.ResultFrame;
import org.bergfried.contract.tensor.RowEncoding;
import org.bergfried.contract.tls.Channels;
import org.bergfried.contract.tls.KeepAlive;
import org.bergfried.proto.expert.v1.DispatchRequest;
import org.bergfried.proto.expert.v1.DispatchResponse;
import org.bergfried.proto.expert.v1.ExpertServiceGrpc;
import org.bergfried.worker.expert.ExpertHost;
import org.bergfried.worker.expert.ExpertSizes;
import org.bergfried.worker.expert.ExpertStore;
import org.bergfried.worker.expert.HostSettings;
import org.bergfried.worker.expert.SyntheticModel;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.choice.Backends;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The server's side of the step protocol against trunks that do not play by the rules.
final class ExpertStreamTest {
    private static final long SEED = 11;
    private static final int COLUMNS = 1024;
    private static final int CREDIT = 64;

    private final SyntheticModel model = new SyntheticModel(SyntheticModel.Types.CODES, COLUMNS, 32, 4, SEED);
    private final Backend backend = Backends.create("scalar", 1);
    private final ExpertStore store = new ExpertStore(
            model, backend, ExpertStore.Budget.wholeModel(ExpertSizes.onCpu(model)), ExpertStore.Verifier.NONE);
    private final AtomicBoolean bug = new AtomicBoolean();
    private final ExpertHost host = new ExpertHost(
            model, store, backend, new HostSettings("host", 4, CREDIT, CREDIT, CREDIT, 1), new BrokenClock(bug));
    private final Channels channels = new Channels(Optional.empty(), KeepAlive.defaults());
    private final List<ManagedChannel> open = new ArrayList<>();
    private final Server server;

    /// Stands for any bug that a frame meets: it fails while it is told to.
    private record BrokenClock(AtomicBoolean bug) implements Clock {
        @Override
        public long nanoTime() {
            if (bug.get()) {
                throw new IllegalStateException("planted");
            }
            return 0;
        }

        @Override
        public long wallMillis() {
            return 0;
        }
    }

    ExpertStreamTest() throws IOException {
        server = channels.server("127.0.0.1", 0, false, Channels.Execution.DIRECT)
                .addService(new ExpertService(host).definition())
                .build()
                .start();
    }

    @BeforeEach
    void install() {
        store.install(ExpertSet.all(ExpertStore.facts(model.spec()))).done().join();
    }

    @AfterEach
    void close() throws InterruptedException {
        open.forEach(ManagedChannel::shutdownNow);
        assertTrue(server.shutdownNow().awaitTermination(10, TimeUnit.SECONDS));
        channels.close();
        host.close();
        store.close();
        backend.close();
    }

    @Test
    void aGoodTrunkIsGreetedCreditedAndServed() throws InterruptedException {
        var trunk = greeted();
        trunk.send(dispatch(1, DispatchClass.DECODE));
        var result = ResultFrame.parse(trunk.next());
        assertEquals(ResultFrame.Outcome.ROWS, result.outcome());
        assertEquals(1, result.dispatchId());
    }

    @Test
    void anotherMajorVersionModelOrArithmeticIsRefusedByName() {
        byte[] major = hello(model.digest(), "b1-f32-d");
        major[2] = 2;
        assertRefused("step protocol 2.0", major);
        assertRefused("model", hello("f".repeat(64), "b1-f32-d"));
        assertRefused("b1-f16-d", hello(model.digest(), "b1-f16-d"));
    }

    @Test
    void framesThatBreakTheProtocolEndTheirStreamOnly() throws InterruptedException {
        var bystander = greeted();
        assertRefused("DISPATCH", dispatch(1, DispatchClass.DECODE));
        assertRefused("empty", new byte[0]);
        assertRefused("PREFILL", helloBytes(), dispatch(1, DispatchClass.PREFILL));
        assertRefused("HELLO", helloBytes(), helloBytes());
        byte[] huge = dispatch(1, DispatchClass.DECODE);
        huge[52] = 127; // rows
        assertRefused("its header asks for", helloBytes(), huge);
        var random = new SplittableRandom(SEED);
        for (int round = 0; round < 200; round++) {
            byte[] garbage = new byte[random.nextInt(2000)];
            random.nextBytes(garbage);
            var trunk = new RawTrunk(channel(), 10);
            trunk.send(helloBytes());
            trunk.send(garbage);
            assertEquals(Status.Code.INVALID_ARGUMENT, trunk.end().getCode(), "round " + round);
        }
        bystander.send(dispatch(9, DispatchClass.DECODE));
        assertEquals(9, ResultFrame.parse(bystander.next()).dispatchId());
    }

    @Test
    void moreStreamsThanReservedAreRefusedUntilOneEnds() throws InterruptedException {
        var first = greeted();
        var second = greeted();
        assertRefused("experts.peersMax = 1 of worker host", helloBytes());
        first.call.cancel("done", null);
        first.end();
        second.send(
                dispatch(1, DispatchClass.DECODE)); // the host has seen the cancellation once this is answered, or soon
        second.next();
        boolean accepted = false;
        for (int attempt = 0; attempt < 100 && !accepted; attempt++) {
            var trunk = new RawTrunk(channel(), 2);
            trunk.send(helloBytes());
            accepted = trunk.received.poll(100, TimeUnit.MILLISECONDS) != null;
        }
        assertTrue(accepted);
    }

    @Test
    void aBugThatAFrameMeetsEndsItsStreamAndItsMemoryIsGivenBack() throws InterruptedException {
        for (int round = 0; round < 5; round++) { // more streams than are reserved
            var trunk = greeted();
            bug.set(true);
            trunk.send(dispatch(1, DispatchClass.DECODE));
            assertEquals(Status.Code.INTERNAL, trunk.end().getCode());
            bug.set(false);
        }
        var good = greeted();
        good.send(dispatch(2, DispatchClass.DECODE));
        assertEquals(2, ResultFrame.parse(good.next()).dispatchId());
    }

    /// It sends far more than its credit and reads nothing: the host stops reading it, and serves the other.
    @Test
    void aTrunkThatReadsNothingStallsItselfAlone() throws InterruptedException {
        var deaf = new RawTrunk(channel(), 2);
        deaf.send(helloBytes());
        deaf.next();
        deaf.next();
        byte[] wholeCredit = dispatch(1, DispatchClass.DECODE, CREDIT);
        for (int i = 0; i < 400; i++) {
            deaf.send(wholeCredit);
        }
        var good = greeted();
        for (int id = 10; id < 30; id++) {
            good.send(dispatch(id, DispatchClass.DECODE));
            assertEquals(id, ResultFrame.parse(good.next()).dispatchId());
        }
        boolean refused = deaf.ended.isDone(); // sent beyond its credit, or still stalled
        assertTrue(refused || !deaf.call.isReady());
        deaf.call.cancel("done", null);
    }

    /// The answers are four times what its connection takes unread: the host waits with the rest and loses nothing.
    @Test
    void aTrunkThatReadsLateGetsEveryAnswerOnce() throws InterruptedException {
        ManagedChannel narrow = NettyChannelBuilder.forAddress("127.0.0.1", server.getPort())
                .usePlaintext()
                .flowControlWindow(65_536)
                .build();
        open.add(narrow);
        var late = new RawTrunk(narrow, 2);
        late.send(helloBytes());
        late.next();
        late.next();
        for (int id = 1; id <= CREDIT; id++) {
            late.send(dispatch(id, DispatchClass.DECODE));
        }
        var other = greeted();
        other.send(dispatch(1, DispatchClass.DECODE));
        other.next();
        late.call.request(CREDIT);
        for (int id = 1; id <= CREDIT; id++) {
            assertEquals(id, ResultFrame.parse(late.next()).dispatchId());
        }
    }

    @Test
    void anyProtobufClientCanSpeakToIt() {
        var observed = new CompletableFuture<DispatchResponse>();
        var requests = ExpertServiceGrpc.newStub(channel()).dispatch(new StreamObserver<>() {
            @Override
            public void onNext(DispatchResponse response) {
                observed.complete(response);
            }

            @Override
            public void onError(Throwable failure) {
                observed.completeExceptionally(failure);
            }

            @Override
            public void onCompleted() {
                observed.cancel(false);
            }
        });
        requests.onNext(DispatchRequest.newBuilder()
                .setFrame(ByteString.copyFrom(helloBytes()))
                .build());
        byte[] frame =
                observed.orTimeout(20, TimeUnit.SECONDS).join().getFrame().toByteArray();
        assertEquals("host", HelloFrame.parse(MemorySegment.ofArray(frame)).workerId());
        requests.onCompleted();
    }

    @Test
    void reflectionFindsTheServiceByItsGeneratedDescriptor() {
        var schema = assertInstanceOf(
                ProtoFileDescriptorSupplier.class, ExpertFrames.service().getSchemaDescriptor());
        assertEquals(
                "Dispatch",
                schema.getFileDescriptor()
                        .findServiceByName("ExpertService")
                        .getMethods()
                        .getFirst()
                        .getName());
        assertEquals("bergfried.expert.v1.ExpertService/Dispatch", ExpertFrames.DISPATCH.getFullMethodName());
    }

    private RawTrunk greeted() throws InterruptedException {
        var trunk = new RawTrunk(channel(), 100);
        trunk.send(helloBytes());
        HelloFrame hello = HelloFrame.parse(trunk.next());
        assertEquals("host", hello.workerId());
        assertEquals(4, hello.startNumber());
        assertEquals(CREDIT, CreditFrame.parse(trunk.next()).rows());
        return trunk;
    }

    private void assertRefused(String reason, byte[]... frames) {
        var trunk = new RawTrunk(channel(), 10);
        for (byte[] frame : frames) {
            trunk.send(frame);
        }
        Status status = trunk.end();
        assertFalse(status.isOk());
        assertTrue(String.valueOf(status.getDescription()).contains(reason), status.toString());
        for (MemorySegment frame : trunk.received) {
            assertTrue(FrameKind.of(frame) != FrameKind.RESULT);
        }
    }

    private ManagedChannel channel() {
        ManagedChannel channel = channels.channel("127.0.0.1:" + server.getPort(), Channels.Execution.VIRTUAL_THREADS);
        open.add(channel);
        return channel;
    }

    private byte[] helloBytes() {
        return hello(model.digest(), model.numericsId());
    }

    private static byte[] hello(String digest, String numericsId) {
        return HelloFrame.of("trunk", 1, digest, numericsId, DispatchClass.DECODE, COLUMNS)
                .encode();
    }

    private byte[] dispatch(long id, DispatchClass dispatchClass) {
        return dispatch(id, dispatchClass, 1);
    }

    private byte[] dispatch(long id, DispatchClass dispatchClass, int rows) {
        var header = new DispatchFrame.Header(
                id,
                1,
                1,
                dispatchClass,
                RowEncoding.QUANTISED,
                false,
                HelloFrame.modelTag(model.digest()),
                HelloFrame.numericsTag(model.numericsId()),
                1,
                30_000,
                rows,
                1,
                COLUMNS);
        byte[] bytes = new byte[(int) DispatchFrame.bytes(RowEncoding.QUANTISED, rows, 1, COLUMNS)];
        DispatchFrame frame = DispatchFrame.create(MemorySegment.ofArray(bytes), header);
        for (int row = 0; row < rows; row++) {
            frame.set(row, 0, row % 4, 0.5f);
        }
        frame.values().fill((byte) 3);
        for (long at = 0; at < frame.scales().byteSize(); at += 4) {
            frame.scales().set(java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED, at, 0.01f);
        }
        return bytes;
    }
}
