package org.bergfried.worker;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.ProcessMain;
import org.bergfried.contract.cluster.Cluster;
import org.bergfried.contract.cluster.ExpertSet;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.cluster.Registration;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.contract.cluster.WorkerAnnouncement.State;
import org.bergfried.contract.tensor.HelloFrame;
import org.bergfried.contract.tls.Address;
import org.bergfried.contract.tls.Channels;
import org.bergfried.worker.api.EngineGrpc;
import org.bergfried.worker.api.ExpertLoads;
import org.bergfried.worker.api.ExpertService;
import org.bergfried.worker.api.HostingGrpc;
import org.bergfried.worker.api.ModelCards;
import org.bergfried.worker.api.WeightGrpc;
import org.bergfried.worker.api.WorkerGrpc;
import org.bergfried.worker.api.WorkerHttp;
import org.bergfried.worker.batch.Batcher;
import org.bergfried.worker.client.GrpcPeers;
import org.bergfried.worker.client.GrpcWeights;
import org.bergfried.worker.client.PeerAddress;
import org.bergfried.worker.dispatch.ClusterDispatcher;
import org.bergfried.worker.dispatch.DispatchSettings;
import org.bergfried.worker.dispatch.Dispatcher;
import org.bergfried.worker.dispatch.ExpertLoad;
import org.bergfried.worker.dispatch.Inbox;
import org.bergfried.worker.dispatch.LoadImbalance;
import org.bergfried.worker.engine.Engine;
import org.bergfried.worker.engine.HostedExperts;
import org.bergfried.worker.engine.MemoryLimit;
import org.bergfried.worker.engine.Readiness;
import org.bergfried.worker.engine.RunningTrunk;
import org.bergfried.worker.engine.WeightWatch;
import org.bergfried.worker.expert.ExpertHost;
import org.bergfried.worker.expert.ExpertStore;
import org.bergfried.worker.expert.HostSettings;
import org.bergfried.worker.hosting.Hosting;
import org.bergfried.worker.kernel.choice.Backends;
import org.bergfried.worker.member.ExpertPeers;
import org.bergfried.worker.member.Membership;
import org.bergfried.worker.meter.WorkerMeters;
import org.bergfried.worker.model.Model;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One worker: it listens at once, loads its model while it joins the cluster, and serves as soon as it has drawn a
/// first token.
public final class Worker implements ProcessMain.Service {
    private static final Logger LOG = LoggerFactory.getLogger(Worker.class);

    private final WorkerConfig config;
    private final Clock clock;
    private final Fatal fatal;
    private final long startNumber;
    private final Channels channels;
    private final WorkerMeters meters = new WorkerMeters();
    private final WorkerGrpc grpc;
    private final WorkerHttp http;
    private final Loading loading;
    private final AtomicReference<@Nullable Cluster> cluster = new AtomicReference<>();
    private volatile @Nullable Model model;
    private volatile @Nullable Engine engine;
    private volatile @Nullable GrpcPeers peers;
    private volatile @Nullable Hosting hosting;
    private volatile @Nullable Readiness readiness;
    private volatile @Nullable Membership membership;
    private volatile Registration directoryWatch = () -> {};
    private volatile boolean expertsReady; // of a worker without a trunk
    private volatile boolean draining;
    private volatile @Nullable WeightWatch weightWatch;
    private volatile @Nullable String corrupt; // which file has changed while it was mapped
    private final AtomicBoolean closed = new AtomicBoolean();

    /// What ends the process.
    public interface Fatal {
        /// A bug, or something that only a restart can mend.
        void bug(Throwable bug);

        /// Another process has this worker's id.
        void replaced(ClusterException why);
    }

    /// Opens the ports.
    ///
    /// @param startNumber grows with each start of this worker.
    public Worker(WorkerConfig config, long startNumber, Clock clock, Fatal fatal) {
        this.config = config;
        this.startNumber = startNumber;
        this.clock = clock;
        this.fatal = fatal;
        channels = new Channels(config.tls(), config.keepAlive());
        grpc = new WorkerGrpc(channels, config.grpc().host(), config.grpc().port());
        loading = new Loading(clock);
        http = new WorkerHttp(
                config.http().host(),
                config.http().port(),
                loading::far,
                this::stuck,
                this::turning,
                this::ready,
                meters::scrape);
        meters.ready(this::ready);
        LOG.info("Worker {} listens on {} (gRPC) and {} (HTTP)", config.id(), grpcAddress(), httpAddress());
    }

    /// Loads the model and joins the cluster, both at a time; returns when the worker serves or is about to.
    ///
    /// @param join    how to join; its cluster is closed with the worker.
    /// @throws ClusterException if the model cannot be served.
    public void start(CompletableFuture<Cluster> join) {
        Model opened = loading.open(config.model().path(), config.dataDirectory());
        model = opened;
        loading.hash(opened);
        CompletableFuture<Membership> joined = join.thenApply(member -> join(member, opened));
        Engine made = Engine.open(
                opened,
                config.engine(startNumber),
                MemoryLimit.ofProcess(),
                this::dispatcher,
                clock,
                (thread, bug) -> broke(bug),
                loading.progress());
        engine = made;
        weightWatch = new WeightWatch(opened, this::weightsChanged);
        serve(opened, made);
        loading.close();
        Membership member = joined.join();
        if (corrupt != null) {
            member.become(State.FAILED);
        }
        member.followPlacement(Optional.ofNullable(hosting));
        watchPeers(opened);
        become(ready());
    }

    /// host:port of the gRPC server.
    public String grpcAddress() {
        return new Address(config.grpc().host(), grpc.port()).toString();
    }

    /// host:port of health and metrics.
    public String httpAddress() {
        return new Address(config.http().host(), http.port()).toString();
    }

    /// Whether a token can be produced, or experts computed where there is no trunk.
    public boolean ready() {
        Readiness probes = readiness;
        return !draining && (probes == null ? expertsReady : probes.ready());
    }

    /// Takes nothing new and waits for the sequences that run.
    ///
    /// @param longest what they may take.
    @Override
    public void drain(Duration longest) throws InterruptedException {
        if (corrupt == null) {
            leave(State.DRAINING);
        }
        Optional<RunningTrunk> trunk = engine == null ? Optional.empty() : engine.trunk();
        if (trunk.isPresent()) {
            Batcher batcher = trunk.get().batcher();
            batcher.drain();
            if (!batcher.awaitDrained(longest)) {
                LOG.warn("Sequences still run after {} s; their routers continue them elsewhere", longest.toSeconds());
            }
        }
        if (engine != null) {
            engine.experts().ifPresent(experts -> experts.host().drain());
        }
    }

    /// Ends the process because of a bug in one of its threads, unless memory of a mapped file could not be read
    /// because the file has changed: Java says that by an InternalError.
    public void broke(Throwable bug) {
        WeightWatch watch = weightWatch;
        if (!(bug instanceof InternalError) || watch == null || !watch.check()) {
            fatal.bug(bug);
        }
    }

    /// Computes nothing more, because it may be wrong. Routers continue the sequences elsewhere and move the
    /// experts; the process stays and says why.
    private void weightsChanged(String what) {
        var why = new ClusterException(
                ErrorReason.WEIGHTS_CORRUPT, what + " while it was mapped; restore it and restart the worker");
        LOG.error("{}: {}", why.reason(), why.text());
        corrupt = why.reason() + ": " + why.text();
        leave(State.FAILED);
        Engine running = engine;
        if (running != null) {
            running.fail(why);
        }
    }

    /// Tells everybody that nothing new is taken.
    private void leave(State state) {
        draining = true;
        grpc.ends();
        Hosting hosts = hosting;
        if (hosts != null) {
            hosts.ends();
        }
        Membership member = membership;
        if (member != null) {
            member.become(state);
        }
    }

    /// Ends everything, what depends on others first. Harmless when it has ended.
    @Override
    public void close() {
        if (closed.getAndSet(true)) {
            return;
        }
        draining = true;
        directoryWatch.close();
        closeAll(loading, weightWatch, readiness, membership, grpc, engine, cluster.get(), http, model);
        meters.close();
        channels.close();
    }

    private Membership join(Cluster member, Model opened) {
        cluster.set(member);
        var announced = new Membership(member, announcement(opened), fatal::replaced);
        membership = announced;
        LOG.info("Joined the cluster {}", config.cluster().name());
        return announced;
    }

    private WorkerAnnouncement announcement(Model opened) {
        var facts = ExpertStore.facts(opened.spec());
        return new WorkerAnnouncement(
                config.id(),
                startNumber,
                grpcAddress(),
                httpAddress(),
                Set.copyOf(config.roles()),
                config.model().servedName(),
                opened.digest(),
                opened.numericsId(),
                Backends.chosen(config.backends()),
                State.LOADING,
                0,
                facts,
                ExpertSet.none(facts),
                0);
    }

    /// Made before the cluster is joined: until then there is no placement, and no peer.
    private Dispatcher dispatcher(Model opened, HostSettings limits, @Nullable ExpertHost host) {
        var inbox = new Inbox();
        var random = new SplittableRandom(startNumber);
        var links = new GrpcPeers(
                peer -> channels.channel(peer.address(), Optional.of(peer.workerId()), Channels.Execution.DIRECT),
                dispatchClass -> HelloFrame.of(
                        config.id(),
                        startNumber,
                        opened.digest(),
                        opened.numericsId(),
                        dispatchClass,
                        opened.spec().hiddenSize()),
                limits.streamRowsMax(),
                limits.peersMax(),
                inbox,
                random.split());
        peers = links;
        String digest = opened.digest();
        var dispatcher = new ClusterDispatcher(
                opened, host, links, inbox, () -> placement(digest), DispatchSettings.defaults(), clock, random);
        dispatcher.measure(meters.roundTrips());
        return dispatcher;
    }

    private @Nullable Placement placement(String digest) {
        Cluster joined = cluster.get();
        return joined == null ? null : joined.placements().current(digest).orElse(null);
    }

    private void serve(Model opened, Engine made) {
        made.experts().ifPresent(experts -> host(opened, experts));
        meters.placement(
                this::placementEpoch,
                () -> made.experts()
                        .map(experts -> experts.store().hot().count())
                        .orElse(0));
        Optional<RunningTrunk> trunk = made.trunk();
        if (trunk.isPresent()) {
            Batcher batcher = trunk.get().batcher();
            meters.batch(batcher::load);
            var card = ModelCards.of(
                    opened, config.model().servedName(), made.plan().context());
            ExpertLoad counted = trunk.get().load();
            if (!counted.facts().moeLayers().isEmpty()) {
                meters.imbalance(new LoadImbalance(counted.facts(), counted::rows, clock)::worst);
            }
            var load = new ExpertLoads(startNumber, counted);
            grpc.add(new EngineGrpc(card, batcher, this::placementEpoch, load, clock).bindService());
            readiness = new Readiness(batcher, counted, clock, this::become);
        } else {
            expertsReady = true;
            become(true);
        }
    }

    private void host(Model opened, HostedExperts experts) {
        var weights = new GrpcWeights(
                opened.digest(),
                ExpertStore.facts(opened.spec()),
                workerId -> weightPeer(opened, workerId),
                peer -> channels.channel(
                        peer.address(), Optional.of(peer.workerId()), Channels.Execution.VIRTUAL_THREADS));
        Path fetched = config.dataDirectory().resolve("fetched");
        var made = new Hosting(opened, experts.store(), experts.host(), weights, fetched);
        hosting = made;
        grpc.add(new ExpertService(experts.host()).definition());
        grpc.add(new WeightGrpc(opened, made).bindService());
        grpc.add(new HostingGrpc(config.id(), startNumber, opened.digest(), made).bindService());
    }

    private Optional<PeerAddress> weightPeer(Model opened, String workerId) {
        Cluster joined = cluster.get();
        return joined == null
                ? Optional.empty()
                : ExpertPeers.of(config.id(), opened.digest(), opened.numericsId(), joined.directory()).stream()
                        .filter(peer -> peer.workerId().equals(workerId))
                        .findFirst();
    }

    private void watchPeers(Model opened) {
        Cluster joined = cluster.get();
        GrpcPeers links = peers;
        if (joined == null || links == null) {
            return;
        }
        Runnable update = () ->
                links.update(ExpertPeers.of(config.id(), opened.digest(), opened.numericsId(), joined.directory()));
        directoryWatch = joined.directory().onChange(update);
        update.run();
    }

    private void become(boolean ready) {
        if (!draining) {
            grpc.serving(ready);
            Membership member = membership;
            if (member != null) {
                member.become(ready ? State.READY : State.LOADING);
            }
        }
    }

    private long placementEpoch() {
        Membership member = membership;
        return member == null ? 0 : member.epochSeen();
    }

    private Optional<String> stuck() {
        String why = corrupt;
        return why != null ? Optional.of(why) : loading.stuck();
    }

    private boolean turning() {
        Readiness probes = readiness;
        return probes == null || probes.turning();
    }

    private static void closeAll(@Nullable AutoCloseable... parts) {
        for (AutoCloseable part : parts) {
            try {
                if (part != null) {
                    part.close();
                }
            } catch (Exception failure) {
                LOG.warn("A part did not end cleanly", failure);
            }
        }
    }
}
