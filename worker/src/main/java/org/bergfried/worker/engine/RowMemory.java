package org.bergfried.worker.engine;

import java.util.ArrayList;
import java.util.List;
import org.bergfried.worker.client.GrpcPeers;
import org.bergfried.worker.dispatch.ClusterDispatcher;
import org.bergfried.worker.engine.MemoryPlan.Item;
import org.bergfried.worker.expert.ExpertHost;
import org.bergfried.worker.expert.HostSettings;
import org.bergfried.worker.model.ModelSpec;

/// Memory for the rows that are on the way between workers. Every peer may send its whole credit at once, and so may
/// this worker to every peer: the sum counts all of it, though the memory for a stream is reserved with the stream.
/// Many peers of a wide model would take gigabytes, so the credit of a stream is halved until the sum takes no more
/// than a share of the limit: fewer rows are on the way then, and the results are the same.
final class RowMemory {
    private static final int ROWS_MAX = 256; // credit of a stream
    private static final int ROWS_MIN = 16;
    private static final int SHARE = 8; // the rows take an eighth of the limit at most

    private RowMemory() {}

    /// Chooses the credit.
    static HostSettings limits(ModelSpec spec, EngineSettings settings, MemoryLimit limit) {
        // The JVM lets memory that it frees itself, as that of streams, grow to the heap's size and no further.
        long bytesMax = Math.min(limit.bytes() / SHARE, limit.heap());
        int rows = ROWS_MAX;
        HostSettings limits = limits(settings, rows);
        while (rows > ROWS_MIN && bytes(spec, settings, limits) > bytesMax) {
            rows /= 2;
            limits = limits(settings, rows);
        }
        return limits;
    }

    /// The parts of the sum.
    static List<Item> items(ModelSpec spec, EngineSettings settings, HostSettings limits) {
        var items = new ArrayList<Item>();
        boolean hosts = MemoryPlan.hostsExperts(spec, settings);
        boolean asks = settings.runsTrunk() && spec.moeLayers().length > 0;
        if (hosts) {
            items.add(new Item("rows from peers", ExpertHost.streamBytes(spec, limits) * limits.streamsMax()));
        }
        if (asks) {
            long ofHost = GrpcPeers.bytesPerHost(limits.streamRowsMax(), spec.hiddenSize());
            items.add(new Item("results from peers", ofHost * limits.peersMax()));
        }
        if (hosts && asks) {
            items.add(new Item("own rows", ClusterDispatcher.ownBytes(spec, limits)));
        }
        return items;
    }

    private static HostSettings limits(EngineSettings settings, int rows) {
        return HostSettings.of(settings.workerId(), settings.startNumber(), rows, settings.peersMax());
    }

    private static long bytes(ModelSpec spec, EngineSettings settings, HostSettings limits) {
        return items(spec, settings, limits).stream().mapToLong(Item::bytes).sum();
    }
}
