package org.bergfried.worker.client;

import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.function.Function;
import java.util.function.IntPredicate;
import java.util.random.RandomGenerator;
import org.bergfried.contract.tensor.DispatchClass;
import org.bergfried.contract.tensor.HelloFrame;
import org.bergfried.worker.dispatch.Inbox;
import org.bergfried.worker.dispatch.Peer;
import org.bergfried.worker.dispatch.Peers;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The expert hosts of other workers over gRPC: one link for each host and class, kept open in the background.
public final class GrpcPeers implements Peers {
    private static final Logger LOG = LoggerFactory.getLogger(GrpcPeers.class);
    private static final long WAIT_SLICE_MILLIS = 20;

    private final Function<PeerAddress, ManagedChannel> channels;
    private final Function<DispatchClass, HelloFrame> hello;
    private final int rowsMax;
    private final int peersMax;
    private final Inbox inbox;
    private final RandomGenerator random;
    private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("expert-peers").factory());
    private final Map<String, List<PeerLink>> links = new HashMap<>(); // by worker id; guarded by this
    private volatile Map<DispatchClass, Map<String, Peer>> living = Map.of();
    private int unused; // hosts beyond peersMax; guarded by this
    private boolean closed; // guarded by this

    /// No peers yet; see [#update].
    ///
    /// @param channels opens a connection, with callbacks on the network's own threads
    ///                 (`Channels.Execution.DIRECT`); closed with the peer.
    /// @param hello    how this trunk introduces itself.
    /// @param rowsMax  rows on the way to one host and class at most; sizes the memory for their results.
    /// @param peersMax hosts at a time; further ones are not used.
    /// @param inbox    of the dispatcher that these peers are for.
    /// @param random   spreads repeated connecting.
    public GrpcPeers(
            Function<PeerAddress, ManagedChannel> channels,
            Function<DispatchClass, HelloFrame> hello,
            int rowsMax,
            int peersMax,
            Inbox inbox,
            RandomGenerator random) {
        this.channels = channels;
        this.hello = hello;
        this.rowsMax = rowsMax;
        this.peersMax = peersMax;
        this.inbox = inbox;
        this.random = random;
        timer.setRemoveOnCancelPolicy(true);
        timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    /// Bytes reserved for the results of each host.
    public static long bytesPerHost(int rowsMax, int columns) {
        return DispatchClass.values().length * PeerStream.ringBytes(rowsMax, columns);
    }

    /// Says which other workers host experts now: new ones are connected to, others let go. Returns at once.
    public void update(List<PeerAddress> wanted) {
        var gone = new ArrayList<PeerLink>();
        var added = new ArrayList<PeerLink>();
        synchronized (this) {
            if (closed) {
                return;
            }
            var byId = new HashMap<String, PeerAddress>();
            wanted.forEach(peer -> byId.put(peer.workerId(), peer));
            links.values().removeIf(ofWorker -> {
                PeerAddress peer = ofWorker.getFirst().peer();
                boolean keep = peer.equals(byId.get(peer.workerId()));
                if (!keep) {
                    gone.addAll(ofWorker);
                }
                return !keep;
            });
            for (PeerAddress peer : byId.values()) {
                if (!links.containsKey(peer.workerId()) && links.size() < peersMax) {
                    List<PeerLink> ofWorker = open(peer);
                    links.put(peer.workerId(), ofWorker);
                    added.addAll(ofWorker);
                }
            }
            warnOfUnused(byId.size() - links.size());
        }
        gone.forEach(PeerLink::close);
        added.forEach(PeerLink::connect);
    }

    private void warnOfUnused(int count) {
        if (count > unused) {
            LOG.warn(
                    "experts.peersMax = {}: {} of {} expert hosts of the cluster are not used; raise it",
                    peersMax,
                    count,
                    peersMax + count);
        }
        unused = count;
    }

    /// Waits until so many hosts answer for every class: for tools that start a cluster and use it at once.
    ///
    /// @return whether they do within the time.
    public boolean awaitLiving(int hosts, Duration time) throws InterruptedException {
        return await(time, count -> count >= hosts);
    }

    /// Waits until no host answers for any class.
    boolean awaitGone(Duration time) throws InterruptedException {
        return await(time, count -> count == 0);
    }

    private synchronized boolean await(Duration time, IntPredicate livingHosts) throws InterruptedException {
        long left = time.toMillis();
        while (!allClasses(livingHosts)) {
            if (left <= 0 || closed) {
                return false;
            }
            long slice = Math.min(left, WAIT_SLICE_MILLIS);
            wait(slice);
            left -= slice;
        }
        return true;
    }

    private boolean allClasses(IntPredicate livingHosts) {
        for (DispatchClass each : DispatchClass.values()) {
            if (!livingHosts.test(living(each).size())) {
                return false;
            }
        }
        return true;
    }

    @Override
    public Map<String, Peer> living(DispatchClass dispatchClass) {
        return living.getOrDefault(dispatchClass, Map.of());
    }

    @Override
    public void close() {
        var all = new ArrayList<PeerLink>();
        synchronized (this) {
            closed = true;
            links.values().forEach(all::addAll);
            links.clear();
        }
        all.forEach(PeerLink::close);
        timer.shutdown();
    }

    private List<PeerLink> open(PeerAddress peer) {
        var ofWorker = new ArrayList<PeerLink>();
        for (DispatchClass each : DispatchClass.values()) {
            ofWorker.add(new PeerLink(
                    peer, hello.apply(each), channels.apply(peer), rowsMax, inbox, timer, random, this::publish));
        }
        return List.copyOf(ofWorker);
    }

    private synchronized void publish() {
        var next = new EnumMap<DispatchClass, Map<String, Peer>>(DispatchClass.class);
        for (DispatchClass each : DispatchClass.values()) {
            next.put(each, new TreeMap<>());
        }
        links.forEach((workerId, ofWorker) -> {
            for (PeerLink link : ofWorker) {
                PeerStream ready = link.ready();
                if (ready != null) {
                    Objects.requireNonNull(next.get(link.dispatchClass())).put(workerId, ready);
                }
            }
        });
        living = next;
        notifyAll();
    }
}
