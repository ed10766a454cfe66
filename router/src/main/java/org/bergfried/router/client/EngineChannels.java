package org.bergfried.router.client;

import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.contract.tls.Channels;
import org.bergfried.contract.tls.Channels.Execution;

/// One channel to each worker process. A worker that was started again, or moved, gets a new one.
public final class EngineChannels implements AutoCloseable {
    private final Channels channels;
    private final Map<String, Open> open = new HashMap<>();
    private boolean isClosed;

    private record Open(String address, long startNumber, ManagedChannel channel) {}

    /// Channels of this identity.
    public EngineChannels(Channels channels) {
        this.channels = channels;
    }

    /// The channel to a worker.
    synchronized ManagedChannel to(WorkerAnnouncement worker) {
        if (isClosed) {
            throw new IllegalStateException("the channels to the workers are closed");
        }
        Open known = open.get(worker.id());
        boolean isSame = known != null
                && known.startNumber() == worker.startNumber()
                && known.address().equals(worker.grpcAddress());
        if (known != null && isSame) {
            if (known.channel().getState(false) == ConnectivityState.TRANSIENT_FAILURE) {
                known.channel().resetConnectBackoff(); // we have our own pace for attempts
            }
            return known.channel();
        }
        if (known != null) {
            var _ = known.channel().shutdown();
        }
        ManagedChannel channel =
                channels.channel(worker.grpcAddress(), Optional.of(worker.id()), Execution.VIRTUAL_THREADS);
        open.put(worker.id(), new Open(worker.grpcAddress(), worker.startNumber(), channel));
        return channel;
    }

    /// Lets go of workers that are not listed; calls that run go on.
    public synchronized void retain(List<WorkerAnnouncement> workers) {
        var ids = workers.stream().map(WorkerAnnouncement::id).toList();
        open.entrySet().removeIf(entry -> {
            boolean isGone = !ids.contains(entry.getKey());
            if (isGone) {
                var _ = entry.getValue().channel().shutdown();
            }
            return isGone;
        });
    }

    @Override
    public synchronized void close() {
        isClosed = true;
        open.values().forEach(known -> {
            var _ = known.channel().shutdownNow();
        });
        open.clear();
    }
}
