package org.bergfried.worker.api;

import io.grpc.Server;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.tensor.HelloFrame;
import org.bergfried.contract.tls.Channels;
import org.bergfried.contract.tls.KeepAlive;
import org.bergfried.worker.client.GrpcPeers;
import org.bergfried.worker.client.PeerAddress;
import org.bergfried.worker.dispatch.ClusterDispatcher;
import org.bergfried.worker.dispatch.DispatchSettings;
import org.bergfried.worker.dispatch.Dispatcher;
import org.bergfried.worker.dispatch.Inbox;
import org.bergfried.worker.expert.ExpertHost;
import org.bergfried.worker.expert.ExpertSizes;
import org.bergfried.worker.expert.ExpertStore;
import org.bergfried.worker.expert.HostSettings;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.model.Model;
import org.jspecify.annotations.Nullable;

/// Several expert hosts in this process, each behind a real gRPC server on loopback, and a dispatcher that reaches
/// them with real frames: what `model logits --workers n` and tests compare with a single process.
public final class ExpertCluster implements AutoCloseable {
    private static final String LOOPBACK = "127.0.0.1";
    private static final Duration START_MAX = Duration.ofSeconds(30);
    private static final long START_NUMBER = 1;

    private final Channels channels = new Channels(Optional.empty(), KeepAlive.defaults());
    private final List<Host> hosts = new ArrayList<>();
    private final Model model;
    private @Nullable ClusterDispatcher dispatcher;

    private record Host(Backend backend, ExpertStore store, ExpertHost experts, ExpertService service, Server server) {
        PeerAddress address() {
            return new PeerAddress(experts.settings().workerId(), LOOPBACK + ":" + server.getPort(), START_NUMBER);
        }
    }

    private ExpertCluster(Model model) {
        this.model = model;
    }

    /// Worker ids of a cluster of that size, sorted.
    public static List<String> workerIds(int workers) {
        return IntStream.range(0, workers).mapToObj("expert-%03d"::formatted).toList();
    }

    /// Experts spread evenly over `workers` hosts.
    ///
    /// @param backends makes a backend for each host; the cluster closes them.
    public static ExpertCluster open(
            Model model, int workers, Supplier<Backend> backends, Clock clock, RandomGenerator random) {
        var facts = ExpertStore.facts(model.spec());
        Placement even = Placement.even(model.digest(), 1, "even", workerIds(workers), facts);
        return open(model, even, backends, DispatchSettings.defaults(), clock, random);
    }

    /// Experts spread by a placement over the workers that it names.
    public static ExpertCluster open(
            Model model,
            Placement placement,
            Supplier<Backend> backends,
            DispatchSettings settings,
            Clock clock,
            RandomGenerator random) {
        var cluster = new ExpertCluster(model);
        try {
            for (String workerId : placement.workerIds()) {
                cluster.hosts.add(cluster.startHost(workerId, placement, backends.get(), clock));
            }
            cluster.connect(placement, settings, clock, random);
            return cluster;
        } catch (RuntimeException e) {
            cluster.close();
            throw e;
        }
    }

    /// The dispatcher of a trunk that hosts no experts itself.
    public Dispatcher dispatcher() {
        if (dispatcher == null) {
            throw new IllegalStateException("the cluster is not open");
        }
        return dispatcher;
    }

    /// Cuts a host off without a word, as if its machine had died.
    void kill(int index) {
        hosts.get(index).server.shutdownNow();
    }

    /// A host, for tests that drain or evict.
    ExpertHost host(int index) {
        return hosts.get(index).experts;
    }

    /// A host's experts, for tests that drain or evict.
    ExpertStore store(int index) {
        return hosts.get(index).store;
    }

    /// Ends everything, in the order in which it depends on each other.
    @Override
    public void close() {
        if (dispatcher != null) {
            dispatcher.close();
        }
        for (Host host : hosts) {
            host.service.close();
            terminate(host.server.shutdownNow());
            host.experts.close();
            host.store.close();
            host.backend.close();
        }
        hosts.clear();
        channels.close();
    }

    private Host startHost(String workerId, Placement placement, Backend backend, Clock clock) {
        var share = placement.expertsOn(workerId);
        var sizes = new ExpertSizes(model, backend.weightSize());
        var budget = new ExpertStore.Budget(sizes.bytes(share), sizes.largest());
        var store = new ExpertStore(model, backend, budget, ExpertStore.Verifier.NONE);
        try {
            store.install(share).done().join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof ClusterException known ? known : e;
        }
        var experts = new ExpertHost(model, store, backend, HostSettings.defaults(workerId, START_NUMBER), clock);
        experts.sawEpoch(placement.epoch());
        var service = new ExpertService(experts);
        try {
            Server server = channels.server(LOOPBACK, 0, false, Channels.Execution.DIRECT)
                    .addService(service.definition())
                    .build()
                    .start();
            return new Host(backend, store, experts, service, server);
        } catch (IOException e) {
            throw new UncheckedIOException("no loopback port for expert host " + workerId, e);
        }
    }

    private void connect(Placement placement, DispatchSettings settings, Clock clock, RandomGenerator random) {
        HostSettings limits = HostSettings.defaults("trunk", START_NUMBER);
        var inbox = new Inbox();
        var peers = new GrpcPeers(
                peer -> channels.channel(peer.address(), Optional.of(peer.workerId()), Channels.Execution.DIRECT),
                dispatchClass -> HelloFrame.of(
                        "trunk",
                        START_NUMBER,
                        model.digest(),
                        model.numericsId(),
                        dispatchClass,
                        model.spec().hiddenSize()),
                limits.streamRowsMax(),
                hosts.size(),
                inbox,
                random);
        dispatcher = new ClusterDispatcher(model, null, peers, inbox, () -> placement, settings, clock, random);
        peers.update(hosts.stream().map(Host::address).toList());
        try {
            if (!peers.awaitLiving(hosts.size(), START_MAX)) {
                throw new ClusterException(
                        ErrorReason.EXPERT_UNPLACED,
                        "not all " + hosts.size() + " expert hosts of this process answered within "
                                + START_MAX.toSeconds() + " s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ClusterException(ErrorReason.CANCELLED, "interrupted while expert hosts started", e);
        }
    }

    private static void terminate(Server server) {
        try {
            if (!server.awaitTermination(5, TimeUnit.SECONDS)) {
                throw new IllegalStateException("the server on port " + server.getPort() + " does not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
