package org.bergfried.router.api.admin;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.bergfried.contract.cluster.Cluster;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.proto.admin.v1.ClusterState;
import org.bergfried.proto.admin.v1.ModelState;
import org.bergfried.proto.admin.v1.WorkerCondition;
import org.bergfried.proto.admin.v1.WorkerRole;
import org.bergfried.proto.admin.v1.WorkerState;
import org.bergfried.router.admit.Admission;
import org.bergfried.router.client.WorkerWatch;
import org.bergfried.router.home.HomeLoads;
import org.bergfried.router.meter.RouterMeters;
import org.bergfried.router.placement.live.HomeState;
import org.bergfried.router.placement.live.Hosting;
import org.bergfried.router.placement.live.LayerBalance;
import org.bergfried.router.placement.live.LoadWindow;
import org.bergfried.router.placement.live.WorkerReport;

/// The state of the cluster as this router sees it.
public final class ClusterView {
    private static final int WINDOW_SECONDS = 60;

    private final String name;
    private final int routersExpected;
    private final Cluster cluster;
    private final WorkerWatch watch;
    private final HomeLoads homes;
    private final Traffic traffic;

    /// What this router itself is busy with.
    public static final class Traffic {
        private final Admission admission;
        private final RouterMeters meters;
        private final RateWindow requests = new RateWindow();
        private final RateWindow tokens = new RateWindow();

        /// No traffic yet.
        ///
        /// @param admission its generations.
        /// @param meters its meters.
        public Traffic(Admission admission, RouterMeters meters) {
            this.admission = admission;
            this.meters = meters;
        }

        /// Takes the counts as they are now; to be called about once a second.
        public void sample(long now) {
            requests.sample(meters.startedCount(), now);
            tokens.sample(meters.answerTokenCount(), now);
        }
    }

    /// The parts it looks at.
    ///
    /// @param name of the cluster.
    /// @param routersExpected the configured number of routers.
    public ClusterView(
            String name, int routersExpected, Cluster cluster, WorkerWatch watch, HomeLoads homes, Traffic traffic) {
        this.name = name;
        this.routersExpected = routersExpected;
        this.cluster = cluster;
        this.watch = watch;
        this.homes = homes;
        this.traffic = traffic;
    }

    /// The state now.
    ClusterState state(long nowNanos, long nowMillis) {
        List<WorkerAnnouncement> workers = cluster.directory().workers();
        int routers = cluster.livingRouters();
        var state = ClusterState.newBuilder()
                .setName(name)
                .setRoutersLiving(routers)
                .setRoutersExpected(routersExpected)
                .setCanPlan(routers * 2 > routersExpected)
                .setRequestsPerSecond(traffic.requests.perSecond())
                .setTokensPerSecond(traffic.tokens.perSecond())
                .setGenerationsRunning(traffic.admission.runningCount())
                .setGenerationsQueued(traffic.admission.queuedCount())
                .setSeenMillis(nowMillis);
        Map<String, Double> rates = new HashMap<>();
        var lost = new TreeMap<String, Integer>();
        for (ModelView model : ModelView.all(workers)) {
            Optional<Placement> placement = cluster.placements().current(model.digest());
            state.addModels(model(model, placement, workers));
            placement.ifPresent(known -> {
                addRates(rates, known, nowNanos);
                known.workerIds().forEach(id -> lost.put(id, known.expertsOn(id).count()));
            });
        }
        workers.forEach(worker -> lost.remove(worker.id()));
        Map<String, Integer> sessions = homes.sessions();
        workers.forEach(worker -> state.addWorkers(worker(worker, sessions, rates)));
        lost.forEach((id, placed) -> state.addWorkers(WorkerState.newBuilder()
                .setWorkerId(id)
                .setCondition(WorkerCondition.WORKER_CONDITION_LOST)
                .setExpertsPlaced(placed)));
        return state.build();
    }

    private static ModelState model(ModelView model, Optional<Placement> placement, List<WorkerAnnouncement> workers) {
        return ModelState.newBuilder()
                .setModelDigest(model.digest())
                .setModel(model.name())
                .addAllNumericsIds(workers.stream()
                        .filter(worker -> worker.modelDigest().equals(model.digest()))
                        .map(WorkerAnnouncement::numericsId)
                        .distinct()
                        .sorted()
                        .toList())
                .setMoeLayerCount(model.facts().moeLayers().size())
                .setExpertsPerLayer(model.facts().expertsPerLayer())
                .setEpoch(placement.map(Placement::epoch).orElse(0L))
                .setPlanId(placement.map(Placement::planId).orElse(""))
                .build();
    }

    private void addRates(Map<String, Double> rates, Placement placement, long now) {
        LoadWindow load = watch.load(placement.modelDigest())
                .map(windows -> windows.window(WINDOW_SECONDS, now))
                .orElseGet(() -> new LoadWindow(0, new long[placement.facts().expertCount()]));
        if (load.seconds() == 0) {
            return;
        }
        List<String> ids = placement.workerIds();
        for (int row = 0; row < placement.facts().moeLayers().size(); row++) {
            double[] rows = LayerBalance.of(placement, row, load.rows(), ids).workerRows();
            for (int worker = 0; worker < rows.length; worker++) {
                rates.merge(ids.get(worker), rows[worker] / load.seconds(), Double::sum);
            }
        }
    }

    private WorkerState worker(WorkerAnnouncement worker, Map<String, Integer> sessions, Map<String, Double> rates) {
        Optional<WorkerReport> report = watch.report(worker.id());
        var state = WorkerState.newBuilder()
                .setWorkerId(worker.id())
                .setGrpcAddress(worker.grpcAddress())
                .setCondition(condition(worker, report))
                .setBackend(worker.backend())
                .setModelDigest(worker.modelDigest())
                .setNumericsId(worker.numericsId())
                .setStartNumber(worker.startNumber())
                .setExpertBytesFree(worker.freeBytes())
                .setExpertsHot(worker.hotExperts().count())
                .setPlacementEpoch(worker.placementEpochSeen())
                .setGenerations(homes.of(worker.id()))
                .setSessions(sessions.getOrDefault(worker.id(), 0))
                .setExpertRowsPerSecond(rates.getOrDefault(worker.id(), 0.0))
                .setExpertsPlaced(cluster.placements()
                        .current(worker.modelDigest())
                        .map(placement -> placement.expertsOn(worker.id()).count())
                        .orElse(0));
        worker.roles().stream().sorted().forEach(role -> state.addRoles(role(role)));
        report.flatMap(WorkerReport::home).ifPresent(home -> addHome(state, home));
        report.flatMap(WorkerReport::hosting).ifPresent(hosting -> addHosting(state, hosting));
        return state.build();
    }

    private static void addHome(WorkerState.Builder state, HomeState home) {
        state.setQueued(home.queued())
                .setRunning(home.running())
                .setPagesTotal(home.pagesTotal())
                .setPagesFree(home.pagesFree())
                .setPlacementEpoch(Math.max(state.getPlacementEpoch(), home.placementEpoch()));
    }

    private static void addHosting(WorkerState.Builder state, Hosting hosting) {
        state.setExpertBytesFree(hosting.bytesFree())
                .setExpertBytesHeld(hosting.bytesHeld())
                .setExpertsHot(hosting.hot().count())
                .setPlacementEpoch(Math.max(state.getPlacementEpoch(), hosting.epoch()));
    }

    private WorkerCondition condition(WorkerAnnouncement worker, Optional<WorkerReport> report) {
        boolean isDrained =
                cluster.rules().current(worker.modelDigest()).draining().contains(worker.id());
        return switch (worker.state()) {
            case LOADING -> WorkerCondition.WORKER_CONDITION_STARTING;
            case FAILED -> WorkerCondition.WORKER_CONDITION_UNREACHABLE;
            case DRAINING -> WorkerCondition.WORKER_CONDITION_DRAINING;
            case READY -> {
                if (report.isPresent() && !report.get().isAnswering()) {
                    yield WorkerCondition.WORKER_CONDITION_UNREACHABLE;
                }
                yield isDrained ? WorkerCondition.WORKER_CONDITION_DRAINING : WorkerCondition.WORKER_CONDITION_READY;
            }
        };
    }

    private static WorkerRole role(WorkerAnnouncement.Role role) {
        return switch (role) {
            case TRUNK -> WorkerRole.WORKER_ROLE_TRUNK;
            case EXPERT -> WorkerRole.WORKER_ROLE_EXPERT;
        };
    }
}
