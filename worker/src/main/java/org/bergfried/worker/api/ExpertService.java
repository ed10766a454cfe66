package org.bergfried.worker.api;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerServiceDefinition;
import java.lang.foreign.Arena;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.rpc.ExpertFrames;
import org.bergfried.contract.rpc.WireFrame;
import org.bergfried.contract.tensor.FrameRing;
import org.bergfried.worker.expert.ExpertHost;

/// ExpertService of this worker: takes streams of frames for its expert host. Handlers run on the network's threads
/// and
/// never block; memory for all streams is reserved at start.
public final class ExpertService implements AutoCloseable {
    private final ExpertHost host;
    private final Arena arena = Arena.ofAuto(); // a job of a broken stream may still read its frame after closing
    private final ConcurrentLinkedQueue<FrameRing> freeRings = new ConcurrentLinkedQueue<>();
    private volatile boolean closed;

    /// Reserves the memory of all streams.
    public ExpertService(ExpertHost host) {
        this.host = host;
        for (int i = 0; i < host.settings().streamsMax(); i++) {
            freeRings.add(new FrameRing(arena, host.streamBytes()));
        }
    }

    /// Bytes that the streams of a host take.
    public static long bytes(ExpertHost host) {
        return host.streamBytes() * host.settings().streamsMax();
    }

    /// The service, to be added to a server. Its handlers want the network's own threads
    /// (`Channels.Execution.DIRECT`).
    public ServerServiceDefinition definition() {
        return ServerServiceDefinition.builder(ExpertFrames.service())
                .addMethod(ExpertFrames.DISPATCH, this::open)
                .build();
    }

    /// Refuses new streams. Open ones end with the server.
    @Override
    public void close() {
        closed = true;
    }

    private ServerCall.Listener<WireFrame> open(ServerCall<WireFrame, WireFrame> call, Metadata headers) {
        var stream = new ExpertStream(call, host, this);
        stream.start();
        return stream;
    }

    /// Memory for one more stream.
    ///
    /// @throws ClusterException if there is none.
    FrameRing takeRing() {
        FrameRing ring = closed ? null : freeRings.poll();
        if (ring == null) {
            throw new ClusterException(
                    ErrorReason.DRAINING,
                    closed
                            ? "the worker shuts down"
                            : "all " + host.settings().streamsMax()
                                    + " streams of this expert host are taken; raise its streamsMax");
        }
        return ring;
    }

    void giveBack(FrameRing ring) {
        freeRings.add(ring);
    }
}
