package org.bergfried.worker.dispatch;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.bergfried.contract.Limits;
import org.bergfried.contract.tensor.DispatchFrame;
import org.bergfried.contract.tensor.FrameRing;
import org.bergfried.contract.tensor.ResultFrame;
import org.bergfried.worker.expert.ExpertHost;
import org.bergfried.worker.expert.HostSettings;
import org.bergfried.worker.expert.Reply;
import org.bergfried.worker.model.ModelSpec;

/// The way to the expert host of this worker: the same frames, in memory instead of on the wire.
final class LocalPeer implements Peer {
    private static final long REFUSAL_BYTES_MAX = 32 + (long) Limits.EXPERTS_PER_TOKEN * Integer.BYTES; // of one row

    private final ExpertHost host;
    private final Inbox inbox;
    private final int columns;
    private final AtomicInteger room;
    private final FrameRing frames;
    private final FrameRing results;

    /// @param columns columns of a row.
    LocalPeer(ExpertHost host, Inbox inbox, int columns, Arena arena) {
        this.host = host;
        this.inbox = inbox;
        this.columns = columns;
        this.room = new AtomicInteger(rowsMax());
        this.frames = new FrameRing(arena, host.streamBytes());
        this.results = new FrameRing(arena, resultBytes(rowsMax(), columns));
    }

    /// Bytes of its frames and results.
    static long bytes(ModelSpec spec, HostSettings settings) {
        return ExpertHost.streamBytes(spec, settings) + resultBytes(settings.streamRowsMax(), spec.hiddenSize());
    }

    private static long resultBytes(int rowsMax, int columns) {
        long rowBytes = Math.max(ResultFrame.bytesMax(1, columns), REFUSAL_BYTES_MAX) + FrameRing.ALIGNMENT;
        return FrameRing.bytesFor(rowBytes * rowsMax, ResultFrame.bytesMax(rowsMax, columns));
    }

    @Override
    public String workerId() {
        return host.settings().workerId();
    }

    @Override
    public int rowsMax() {
        return host.settings().streamRowsMax();
    }

    @Override
    public int room() {
        return room.get();
    }

    @Override
    public boolean send(DispatchFrame.Header header, Consumer<DispatchFrame> fill) {
        long bytes = DispatchFrame.bytes(header.encoding(), header.rows(), header.width(), header.columns());
        FrameRing.Slot slot = frames.take(bytes);
        if (slot == null) {
            throw new IllegalStateException("no room for " + header.rows() + " rows within the credit");
        }
        DispatchFrame frame = DispatchFrame.create(slot.bytes(), header);
        fill.accept(frame);
        room.addAndGet(-header.rows());
        host.submit(frame, new LocalReply(slot, header.rows()));
        return true;
    }

    /// There is no connection to break: what it owes still comes, and is dropped then.
    @Override
    public void reset(String why) {
        // Nothing to do.
    }

    private final class LocalReply implements Reply {
        private final FrameRing.Slot frame;
        private final int rows;

        LocalReply(FrameRing.Slot frame, int rows) {
            this.frame = frame;
            this.rows = rows;
        }

        @Override
        public void rows(long dispatchId, int count, MemorySegment sums, MemorySegment poisoned) {
            FrameRing.Slot slot = take(ResultFrame.bytesMax(count, columns));
            long bytes = ResultFrame.writeRows(slot.bytes(), dispatchId, count, columns, sums, poisoned);
            finish(slot, bytes);
        }

        @Override
        public void refused(ResultFrame.Outcome outcome, long dispatchId, long epoch, int... missing) {
            byte[] bytes = ResultFrame.encode(outcome, dispatchId, epoch, missing);
            FrameRing.Slot slot = take(bytes.length);
            MemorySegment.copy(MemorySegment.ofArray(bytes), 0, slot.bytes(), 0, bytes.length);
            finish(slot, bytes.length);
        }

        private FrameRing.Slot take(long bytes) {
            FrameRing.Slot slot = results.take(bytes);
            if (slot == null) {
                throw new IllegalStateException("no room for a result of " + bytes + " bytes within the credit");
            }
            return slot;
        }

        private void finish(FrameRing.Slot slot, long bytes) {
            frame.close();
            ResultFrame result = ResultFrame.parse(slot.bytes().asSlice(0, bytes));
            inbox.put(new Inbox.Event.Result(workerId(), result, () -> {
                slot.close();
                room.addAndGet(rows);
            }));
        }
    }
}
