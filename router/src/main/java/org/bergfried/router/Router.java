package org.bergfried.router;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import javax.net.ssl.X509KeyManager;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ConfigLoader;
import org.bergfried.contract.ProcessMain;
import org.bergfried.contract.cluster.Cluster;
import org.bergfried.contract.tls.Channels;
import org.bergfried.router.admit.Admission;
import org.bergfried.router.api.Inference;
import org.bergfried.router.api.InferenceGate;
import org.bergfried.router.api.admin.AdminGate;
import org.bergfried.router.api.admin.Administration;
import org.bergfried.router.api.admin.ClusterAdmin;
import org.bergfried.router.api.admin.ClusterView;
import org.bergfried.router.api.admin.DrainAdmin;
import org.bergfried.router.api.admin.MoveAdmin;
import org.bergfried.router.api.admin.PlacementAdmin;
import org.bergfried.router.api.admin.RuleAdmin;
import org.bergfried.router.api.grpc.GrpcDoor;
import org.bergfried.router.api.http.HttpDoor;
import org.bergfried.router.auth.Callers;
import org.bergfried.router.auth.KeyFile;
import org.bergfried.router.client.EngineCalls;
import org.bergfried.router.client.EngineChannels;
import org.bergfried.router.client.EngineProbe;
import org.bergfried.router.client.HomeWatch;
import org.bergfried.router.client.HostCalls;
import org.bergfried.router.client.ModelCatalog;
import org.bergfried.router.client.WorkerWatch;
import org.bergfried.router.failover.Generations;
import org.bergfried.router.home.HomeLoads;
import org.bergfried.router.meter.RouterMeters;
import org.bergfried.router.placement.PlacementLoop;
import org.bergfried.router.placement.live.Mover;
import org.bergfried.router.placement.live.RepairLoop;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One router: its doors open at once, and it serves as soon as it has joined a cluster.
public final class Router implements ProcessMain.Service {
    private static final Logger LOG = LoggerFactory.getLogger(Router.class);
    private static final Duration REPAIR_QUIET = Duration.ofSeconds(10);
    private static final Duration DOOR_TIMEOUT = Duration.ofSeconds(2);

    private final RouterConfig config;
    private final Clock clock;
    private final LongSupplier random;
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final RouterMeters meters = new RouterMeters(registry);
    private final InferenceGate gate = new InferenceGate();
    private final AdminGate adminGate = new AdminGate();
    private final Channels channels;
    private final EngineChannels engines;
    private final HttpDoor http;
    private final GrpcDoor grpc;
    private @Nullable Joined joined;
    private boolean wasReady; // used by the thread of the home watch only

    /// What there is only in a cluster.
    private record Joined(
            Cluster cluster,
            Generations generations,
            HomeWatch homes,
            WorkerWatch workers,
            PlacementLoop placements,
            RepairLoop repairs,
            Mover mover) {}

    /// Opens the doors.
    ///
    /// @param random draws 64 bits that nobody can guess.
    /// @throws IOException if an address cannot be had.
    public Router(RouterConfig config, Clock clock, LongSupplier random) throws IOException {
        this.config = config;
        this.clock = clock;
        this.random = random;
        var callers = new Callers(config.keysFile().map(Router::keys));
        channels = new Channels(config.tls(), config.keepAlive());
        engines = new EngineChannels(channels);
        var keys = config.isHttpEncrypted() ? channels.keys() : Optional.<X509KeyManager>empty();
        http = new HttpDoor(config.http(), keys, callers, gate, adminGate, meters, registry::scrape);
        grpc = new GrpcDoor(config.grpc(), channels, callers, gate, adminGate, meters);
        LOG.info(
                "Listening: HTTP on {}:{}, gRPC on {}:{}",
                config.http().host(),
                httpPort(),
                config.grpc().host(),
                grpcPort());
    }

    /// Begins to serve with the workers of a cluster, which is closed with the router.
    public synchronized void join(Cluster cluster) {
        var loads = new HomeLoads(clock);
        var admission = new Admission(config.admit(), meters);
        var probe = new EngineProbe(engines);
        var catalog = new ModelCatalog(probe, clock);
        var generations =
                new Generations(cluster.generations(), new EngineCalls(engines), loads, admission, meters, clock);
        var homes =
                new HomeWatch(cluster.directory(), engines, probe, catalog, generations::homesChanged, this::setReady);
        var placements = new PlacementLoop(cluster, config.placement(), clock);
        var hosts = new HostCalls(engines);
        var traffic = new ClusterView.Traffic(admission, meters);
        var workers =
                new WorkerWatch(cluster.directory(), engines, hosts, clock, () -> traffic.sample(clock.nanoTime()));
        int routersExpected = config.placement().expectedRouters();
        var mover = new Mover(cluster, routersExpected, hosts, workers::load, clock, random);
        var repairs = new RepairLoop(cluster, mover, routersExpected, REPAIR_QUIET, clock, random);
        joined = new Joined(cluster, generations, homes, workers, placements, repairs, mover);
        adminGate.open(new Administration(
                new PlacementAdmin(cluster, workers, mover, clock),
                new MoveAdmin(cluster, mover),
                new RuleAdmin(cluster),
                new ClusterAdmin(
                        new ClusterView(
                                config.cluster().name(),
                                config.placement().expectedRouters(),
                                cluster,
                                workers,
                                loads,
                                traffic),
                        workers.looks(),
                        clock),
                new DrainAdmin(cluster, workers, mover)));
        meters.watchCluster(homes::readyHomes, () -> epoch(cluster, catalog));
        gate.open(new Inference(catalog, generations, cluster, loads, config.answers(), meters, clock, random));
        LOG.info("Joined the cluster {}", config.cluster().name());
    }

    /// The port of the HTTP door.
    public int httpPort() {
        return http.port();
    }

    /// The port of the gRPC door.
    public int grpcPort() {
        return grpc.port();
    }

    /// Takes nothing new and waits for the answers that run.
    ///
    /// @param longest what they may take.
    @Override
    public synchronized void drain(Duration longest) throws InterruptedException {
        gate.drain();
        adminGate.drain();
        grpc.setServing(false);
        if (joined != null) {
            joined.generations().drain(longest);
        }
        http.drain(DOOR_TIMEOUT);
        grpc.drain(DOOR_TIMEOUT);
    }

    @Override
    public synchronized void close() {
        http.close();
        grpc.close();
        if (joined != null) {
            joined.placements().close();
            joined.repairs().close();
            joined.mover().close();
            joined.workers().close();
            joined.homes().close();
            joined.cluster().close();
        }
        engines.close();
        channels.close();
    }

    private void setReady(boolean ready) {
        if (ready != wasReady) {
            wasReady = ready;
            LOG.info(ready ? "Ready: a home can produce tokens" : "Not ready: no home can produce tokens");
        }
        gate.setReady(ready);
        grpc.setServing(gate.isReady());
    }

    private static int epoch(Cluster cluster, ModelCatalog catalog) {
        return catalog.known().stream()
                .flatMap(model -> cluster.placements().current(model.card().digest()).stream())
                .mapToInt(placement -> (int) Math.min(Integer.MAX_VALUE, placement.epoch()))
                .max()
                .orElse(0);
    }

    private static KeyFile keys(Path file) {
        return ConfigLoader.load(KeyFile.class, file, Map.of());
    }
}
