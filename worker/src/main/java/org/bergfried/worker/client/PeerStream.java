package org.bergfried.worker.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.Limits;
import org.bergfried.contract.rpc.ExpertFrames;
import org.bergfried.contract.rpc.WireFrame;
import org.bergfried.contract.tensor.CreditFrame;
import org.bergfried.contract.tensor.DispatchFrame;
import org.bergfried.contract.tensor.FrameKind;
import org.bergfried.contract.tensor.FrameRing;
import org.bergfried.contract.tensor.HelloFrame;
import org.bergfried.contract.tensor.ResultFrame;
import org.bergfried.worker.dispatch.Inbox;
import org.bergfried.worker.dispatch.Peer;

/// One stream to one host, from its HELLO to its end. The trunk's thread sends; the network's thread brings
/// results, and
/// is asked for a further one only while the ring has room for the largest.
final class PeerStream extends ClientCall.Listener<WireFrame> implements Peer {
    private final PeerAddress peer;
    private final HelloFrame ours;
    private final Inbox inbox;
    private final Watcher watcher;
    private final int rowsMax; // rows whose results have memory here
    private final int resultBytesMax;
    private final FrameRing results;
    private final ClientCall<WireFrame, WireFrame> call;
    private byte[] sendBuffer = new byte[0]; // of the trunk's thread
    private boolean greeted; // of the network's thread
    private int granted; // guarded by this
    private final Map<Long, Integer> onTheWay = new HashMap<>(); // rows by dispatchId; guarded by this
    private int rowsOnTheWay; // guarded by this
    private boolean requested; // guarded by this
    private boolean ended; // guarded by this

    /// Hears about the stream, on the network's thread.
    interface Watcher {
        /// The host has answered and granted rows.
        void onReady(PeerStream stream);

        /// Memory for results became free.
        void onRoom();

        /// The stream has ended. Called once.
        void onEnd(PeerStream stream, String why);
    }

    /// A stream that is not started.
    ///
    /// @param ours    this worker's HELLO.
    /// @param rowsMax rows on the way at most, whatever the host grants.
    /// @param results memory for results, at least [#ringBytes].
    PeerStream(
            Channel channel,
            PeerAddress peer,
            HelloFrame ours,
            int rowsMax,
            FrameRing results,
            Inbox inbox,
            Watcher watcher) {
        this.peer = peer;
        this.ours = ours;
        this.inbox = inbox;
        this.watcher = watcher;
        this.rowsMax = rowsMax;
        this.resultBytesMax = (int) Math.min(Limits.FRAME_BYTES, ResultFrame.bytesMax(rowsMax, ours.columns()));
        this.results = results;
        this.call = channel.newCall(ExpertFrames.DISPATCH, CallOptions.DEFAULT.withExecutor(Runnable::run));
    }

    /// Bytes of the memory for results.
    static long ringBytes(int rowsMax, int columns) {
        long rowBytes = ResultFrame.bytesMax(1, columns) + FrameRing.ALIGNMENT;
        long frameBytesMax = Math.min(Limits.FRAME_BYTES, ResultFrame.bytesMax(rowsMax, columns));
        return FrameRing.bytesFor(rowBytes * rowsMax, frameBytesMax);
    }

    void start() {
        synchronized (this) {
            if (ended) {
                return;
            }
            requested = true;
            call.start(this, new Metadata());
            byte[] hello = ours.encode();
            call.sendMessage(WireFrame.outgoing(hello, hello.length));
        }
        call.request(1);
    }

    /// Ends the stream from this side. Nothing is sent from now on: gRPC permits no message after a cancellation, and
    /// the network's thread says only later that the stream has ended.
    void close(String why) {
        synchronized (this) {
            ended = true;
        }
        call.cancel(why, null);
    }

    @Override
    public String workerId() {
        return peer.workerId();
    }

    @Override
    public synchronized int rowsMax() {
        return Math.min(granted, rowsMax);
    }

    @Override
    public synchronized int room() {
        return Math.min(granted, rowsMax) - rowsOnTheWay;
    }

    @Override
    public boolean send(DispatchFrame.Header header, Consumer<DispatchFrame> fill) {
        int bytes = (int) DispatchFrame.bytes(header.encoding(), header.rows(), header.width(), header.columns());
        if (sendBuffer.length < bytes) {
            sendBuffer = new byte[bytes];
        }
        fill.accept(DispatchFrame.create(MemorySegment.ofArray(sendBuffer), header));
        var message = WireFrame.outgoing(sendBuffer, bytes);
        synchronized (this) {
            if (ended) {
                return false;
            }
            onTheWay.put(header.dispatchId(), header.rows());
            rowsOnTheWay += header.rows();
            call.sendMessage(message);
        }
        if (!message.consumed()) {
            sendBuffer = new byte[0]; // gRPC keeps a message that is sent while the call is only being connected
        }
        return true;
    }

    @Override
    public void reset(String why) {
        close(why);
    }

    @Override
    public void onMessage(WireFrame message) {
        try {
            synchronized (this) {
                requested = false;
            }
            receive(message);
            requestMore();
        } catch (ClusterException e) {
            close(e.text());
        }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
        synchronized (this) {
            ended = true;
        }
        String description = status.getDescription();
        watcher.onEnd(this, status.getCode() + (description == null ? "" : ": " + description));
    }

    private void receive(WireFrame message) {
        int bytes = message.open();
        FrameRing.Slot slot = bytes == 0 ? null : results.take(bytes);
        if (slot == null) {
            throw violation("a frame of " + bytes + " bytes, for which nothing is reserved");
        }
        boolean kept = false;
        try {
            message.copyTo(slot.bytes());
            kept = receive(slot);
        } finally {
            if (!kept) {
                slot.close();
            }
        }
    }

    private boolean receive(FrameRing.Slot slot) {
        switch (FrameKind.of(slot.bytes())) {
            case HELLO -> greet(HelloFrame.parse(slot.bytes()));
            case CREDIT -> grant(CreditFrame.parse(slot.bytes()).rows());
            case RESULT -> {
                inbox.put(new Inbox.Event.Result(workerId(), result(slot), () -> {
                    slot.close();
                    watcher.onRoom();
                }));
                return true;
            }
            case DISPATCH -> throw violation("a host sent a DISPATCH");
        }
        return false;
    }

    private void greet(HelloFrame theirs) {
        if (greeted || !theirs.workerId().equals(peer.workerId()) || theirs.startNumber() != peer.startNumber()) {
            throw violation("HELLO of " + theirs.workerId() + " start " + theirs.startNumber() + " where "
                    + peer.workerId() + " start " + peer.startNumber() + " was expected");
        }
        ours.requireSameModel(theirs);
        greeted = true;
    }

    private void grant(int rows) {
        if (!greeted) {
            throw violation("CREDIT before HELLO");
        }
        boolean first;
        synchronized (this) {
            first = granted == 0;
            granted = Math.min(granted + rows, CreditFrame.ROWS_MAX);
        }
        if (first) {
            watcher.onReady(this);
        }
        inbox.put(new Inbox.Event.Room(workerId()));
    }

    /// A result gives the credit of its dispatch back.
    private ResultFrame result(FrameRing.Slot slot) {
        ResultFrame frame = ResultFrame.parse(slot.bytes());
        synchronized (this) {
            Integer rows = onTheWay.remove(frame.dispatchId());
            if (rows == null || (frame.outcome() == ResultFrame.Outcome.ROWS && frame.rows() != rows)) {
                throw violation(
                        "a result of " + frame.rows() + " rows for dispatch " + frame.dispatchId() + " of " + rows);
            }
            rowsOnTheWay -= rows;
        }
        return frame;
    }

    /// Asks for a further frame if there is room for the largest.
    void requestMore() {
        synchronized (this) {
            if (requested || ended || !results.fits(resultBytesMax)) {
                return;
            }
            requested = true;
        }
        call.request(1);
    }

    private ClusterException violation(String what) {
        return new ClusterException(
                ErrorReason.INVALID_REQUEST, "worker " + peer.workerId() + " breaks the step protocol: " + what);
    }
}
