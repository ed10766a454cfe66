package org.bergfried.worker.api;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.rpc.Statuses;
import org.bergfried.contract.rpc.WireFrame;
import org.bergfried.contract.tensor.CreditFrame;
import org.bergfried.contract.tensor.DispatchClass;
import org.bergfried.contract.tensor.DispatchFrame;
import org.bergfried.contract.tensor.FrameRing;
import org.bergfried.contract.tensor.HelloFrame;
import org.bergfried.contract.tensor.ResultFrame;
import org.bergfried.worker.expert.ExpertHost;
import org.bergfried.worker.expert.Reply;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One stream of a trunk. The network's thread reads frames into the stream's ring and submits them; the host's
/// compute
/// thread sends results. A further frame is asked for only while the ring has room for the largest and the transport
/// takes what is sent: so a peer that sends too much or reads too little stalls itself alone, and no memory grows.
final class ExpertStream extends ServerCall.Listener<WireFrame> {
    private static final Logger LOG = LoggerFactory.getLogger(ExpertStream.class);
    private static final int HELLO_BYTES_MAX = 4096;

    private final ServerCall<WireFrame, WireFrame> call;
    private final ExpertHost host;
    private final ExpertService service;
    private final Object lock = new Object(); // held for the time of a copy at most
    private @Nullable FrameRing ring; // from HELLO on; guarded by lock
    private @Nullable DispatchClass dispatchClass; // from HELLO on; the network's thread only
    private byte[] sendBuffer = new byte[0]; // of the compute thread
    private int rowsOnTheWay; // guarded by lock
    private boolean requested; // guarded by lock
    private boolean ended; // guarded by lock

    ExpertStream(ServerCall<WireFrame, WireFrame> call, ExpertHost host, ExpertService service) {
        this.call = call;
        this.host = host;
        this.service = service;
    }

    void start() {
        call.sendHeaders(new Metadata());
        synchronized (lock) {
            requested = true;
        }
        call.request(1);
    }

    @Override
    public void onMessage(WireFrame message) {
        try {
            synchronized (lock) {
                requested = false;
            }
            if (dispatchClass == null) {
                hello(message);
            } else {
                dispatch(message);
            }
            requestMore();
        } catch (ClusterException e) {
            refuse(e);
        } catch (RuntimeException bug) {
            LOG.error("A frame met a bug of this worker; its stream ends", bug);
            refuse(new ClusterException(ErrorReason.INTERNAL, "the frame met a bug of the expert host; see its log"));
        }
    }

    @Override
    public void onReady() {
        requestMore();
    }

    @Override
    public void onHalfClose() {
        end(Status.OK, new Metadata());
    }

    @Override
    public void onCancel() {
        end(null, new Metadata());
    }

    @Override
    public void onComplete() {
        end(null, new Metadata());
    }

    private void hello(WireFrame message) {
        int length = message.open();
        if (length > HELLO_BYTES_MAX) {
            throw violation("a HELLO of " + length + " bytes; at most " + HELLO_BYTES_MAX + " make sense");
        }
        byte[] bytes = new byte[length];
        message.copyTo(MemorySegment.ofArray(bytes));
        HelloFrame theirs = HelloFrame.parse(MemorySegment.ofArray(bytes));
        HelloFrame ours = host.hello(theirs.dispatchClass());
        ours.requireSameModel(theirs);
        FrameRing taken = service.takeRing();
        synchronized (lock) {
            if (ended) {
                service.giveBack(taken);
                return;
            }
            ring = taken;
        }
        dispatchClass = theirs.dispatchClass();
        send(ours.encode());
        send(new CreditFrame(host.settings().streamRowsMax()).encode());
        LOG.debug("Worker {} start {} opened a stream for {}", theirs.workerId(), theirs.startNumber(), dispatchClass);
    }

    private void dispatch(WireFrame message) {
        FrameRing.Slot slot = take(message.open());
        boolean submitted = false;
        try {
            message.copyTo(slot.bytes());
            DispatchFrame frame = DispatchFrame.parse(slot.bytes());
            if (frame.header().dispatchClass() != dispatchClass) {
                throw violation(
                        "a frame of class " + frame.header().dispatchClass() + " on a stream of " + dispatchClass);
            }
            occupy(frame.rows());
            submit(frame, slot);
            submitted = true;
        } finally {
            if (!submitted) {
                slot.close();
            }
        }
    }

    private void submit(DispatchFrame frame, FrameRing.Slot slot) {
        var reply = new StreamReply(slot, frame.rows());
        boolean submitted = false;
        try {
            host.submit(frame, reply);
            submitted = true;
        } finally {
            if (!submitted) {
                reply.release();
            }
        }
    }

    private FrameRing.Slot take(int bytes) {
        FrameRing memory;
        synchronized (lock) {
            memory = ring;
        }
        FrameRing.Slot slot = memory == null || bytes == 0 ? null : memory.take(bytes);
        if (slot == null) {
            throw violation("a frame of " + bytes + " bytes, for which nothing is reserved");
        }
        return slot;
    }

    private void occupy(int rows) {
        synchronized (lock) {
            if (rowsOnTheWay + rows > host.settings().streamRowsMax()) {
                throw violation(rows + " rows besides " + rowsOnTheWay + " on the way; the credit is "
                        + host.settings().streamRowsMax());
            }
            rowsOnTheWay += rows;
        }
    }

    /// The frame of so many rows is done with; the ring goes back with the last one of an ended stream.
    private void vacate(int rows) {
        synchronized (lock) {
            rowsOnTheWay -= rows;
            giveBackRing();
        }
    }

    private void giveBackRing() {
        if (ended && rowsOnTheWay == 0 && ring != null) {
            service.giveBack(ring);
            ring = null;
        }
    }

    private void requestMore() {
        synchronized (lock) {
            boolean room = ring != null && ring.fits(host.frameBytesMax());
            if (requested || ended || !room || !call.isReady()) {
                return;
            }
            requested = true;
        }
        call.request(1);
    }

    private void send(byte[] bytes) {
        var _ = send(bytes, bytes.length);
    }

    /// Gives the bytes to the transport, which copies them at once; false if it did not, because the stream is ending.
    private boolean send(byte[] bytes, int length) {
        synchronized (lock) {
            if (ended) {
                return true;
            }
            var message = WireFrame.outgoing(bytes, length);
            call.sendMessage(message);
            return message.consumed();
        }
    }

    private void refuse(ClusterException e) {
        LOG.warn("An expert stream is refused: {}", e.text());
        StatusRuntimeException status = Statuses.toStatus(e);
        Metadata trailers = status.getTrailers();
        end(status.getStatus(), trailers == null ? new Metadata() : trailers);
    }

    private void end(@Nullable Status status, Metadata trailers) {
        synchronized (lock) {
            if (ended) {
                return;
            }
            ended = true;
            if (status != null) {
                call.close(status, trailers);
            }
            giveBackRing();
        }
    }

    private static ClusterException violation(String what) {
        return new ClusterException(ErrorReason.INVALID_REQUEST, "the peer breaks the step protocol: " + what);
    }

    private final class StreamReply implements Reply {
        private final FrameRing.Slot slot;
        private final int rows;
        private final AtomicBoolean released = new AtomicBoolean();

        StreamReply(FrameRing.Slot slot, int rows) {
            this.slot = slot;
            this.rows = rows;
        }

        /// Packs outside of the lock: the network's thread may want it.
        @Override
        public void rows(long dispatchId, int count, MemorySegment sums, MemorySegment poisoned) {
            int columns = (int) (sums.byteSize() / Long.BYTES / count);
            long bytesMax = ResultFrame.bytesMax(count, columns);
            if (sendBuffer.length < bytesMax) {
                sendBuffer = new byte[(int) bytesMax];
            }
            long bytes = ResultFrame.writeRows(
                    MemorySegment.ofArray(sendBuffer), dispatchId, count, columns, sums, poisoned);
            if (!answer(sendBuffer, (int) bytes)) {
                sendBuffer = new byte[0];
            }
        }

        @Override
        public void refused(ResultFrame.Outcome outcome, long dispatchId, long epoch, int... missing) {
            byte[] bytes = ResultFrame.encode(outcome, dispatchId, epoch, missing);
            var _ = answer(bytes, bytes.length);
        }

        /// Gives the frame's memory back, once.
        void release() {
            if (!released.getAndSet(true)) {
                slot.close();
                vacate(rows);
            }
        }

        private boolean answer(byte[] bytes, int length) {
            release();
            boolean copied = send(bytes, length);
            requestMore();
            return copied;
        }
    }
}
