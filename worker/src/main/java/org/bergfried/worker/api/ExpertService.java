package org.bergfried.worker.api;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerServiceDefinition;
import java.lang.foreign.Arena;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.rpc.ExpertFrames;
import org.bergfried.contract.rpc.WireFrame;
import org.bergfried.contract.tensor.FrameRing;
import org.bergfried.worker.expert.ExpertHost;
import org.bergfried.worker.expert.HostSettings;

/// ExpertService of this worker: takes streams of frames for its expert host. Handlers run on the network's threads
/// and never block. The memory of a stream is reserved when as many are open for the first time, and kept for later
/// ones: a worker without peers takes none, and the memory sum counts that of all streams.
public final class ExpertService implements AutoCloseable {
    private final ExpertHost host;
    private final Arena arena = Arena.ofAuto(); // a job of a broken stream may still read its frame after closing
    private final ConcurrentLinkedQueue<FrameRing> freeRings = new ConcurrentLinkedQueue<>();
    private final Semaphore unreservedRings;
    private volatile boolean closed;

    /// Takes streams for a host once its definition is added to a server.
    public ExpertService(ExpertHost host) {
        this.host = host;
        unreservedRings = new Semaphore(host.settings().streamsMax());
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
        if (closed) {
            throw new ClusterException(ErrorReason.DRAINING, "the worker shuts down");
        }
        FrameRing ring = freeRings.poll();
        return ring == null ? reserveRing() : ring;
    }

    private FrameRing reserveRing() {
        if (!unreservedRings.tryAcquire()) {
            HostSettings settings = host.settings();
            throw new ClusterException(
                    ErrorReason.QUEUE_FULL,
                    "experts.peersMax = " + settings.peersMax() + " of worker " + settings.workerId() + ": all its "
                            + settings.streamsMax() + " streams are taken; raise it, to at most "
                            + HostSettings.PEERS_LIMIT);
        }
        return new FrameRing(arena, host.streamBytes());
    }

    void giveBack(FrameRing ring) {
        freeRings.add(ring);
    }
}
