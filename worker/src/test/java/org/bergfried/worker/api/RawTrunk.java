package org.bergfried.worker.api;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.bergfried.contract.rpc.ExpertFrames;
import org.bergfried.contract.rpc.WireFrame;

/// A trunk that sends any bytes and writes down what comes back.
final class RawTrunk extends ClientCall.Listener<WireFrame> {
    final LinkedBlockingQueue<MemorySegment> received = new LinkedBlockingQueue<>();
    final CompletableFuture<Status> ended = new CompletableFuture<>();
    final ClientCall<WireFrame, WireFrame> call;

    /// @param requested how many messages it reads.
    RawTrunk(ManagedChannel channel, int requested) {
        call = channel.newCall(ExpertFrames.DISPATCH, CallOptions.DEFAULT);
        call.start(this, new Metadata());
        call.request(requested);
    }

    void send(byte[] frame) {
        call.sendMessage(WireFrame.outgoing(frame, frame.length));
    }

    MemorySegment next() throws InterruptedException {
        MemorySegment frame = received.poll(20, TimeUnit.SECONDS);
        if (frame == null) {
            throw new AssertionError("nothing came; the stream ended with " + ended.getNow(Status.OK));
        }
        return frame;
    }

    Status end() {
        return ended.orTimeout(20, TimeUnit.SECONDS).join();
    }

    @Override
    public void onMessage(WireFrame message) {
        byte[] bytes = new byte[message.open()];
        message.copyTo(MemorySegment.ofArray(bytes));
        received.add(MemorySegment.ofArray(bytes));
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
        ended.complete(status);
    }

    static byte[] bytes(MemorySegment frame) {
        return frame.toArray(ValueLayout.JAVA_BYTE);
    }
}
