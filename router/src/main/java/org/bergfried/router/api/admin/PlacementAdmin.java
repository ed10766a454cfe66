package org.bergfried.router.api.admin;

import java.util.List;
import java.util.Optional;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.Cluster;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.proto.admin.v1.GetExpertLoadRequest;
import org.bergfried.proto.admin.v1.GetExpertLoadResponse;
import org.bergfried.proto.admin.v1.GetPlacementRequest;
import org.bergfried.proto.admin.v1.GetPlacementResponse;
import org.bergfried.proto.admin.v1.LayerLoad;
import org.bergfried.proto.admin.v1.PlacementState;
import org.bergfried.proto.admin.v1.WatchPlacementRequest;
import org.bergfried.proto.admin.v1.WatchPlacementResponse;
import org.bergfried.router.auth.Caller;
import org.bergfried.router.auth.Role;
import org.bergfried.router.client.WorkerWatch;
import org.bergfried.router.placement.live.Changes;
import org.bergfried.router.placement.live.LayerBalance;
import org.bergfried.router.placement.live.LoadWindow;
import org.bergfried.router.placement.live.LoadWindows;
import org.bergfried.router.placement.live.Mover;
import org.bergfried.router.placement.live.WorkerReport;

/// The part of `PlacementService` that shows where experts are and how busy they are.
public final class PlacementAdmin {
    private static final long LOOK_MILLIS = 1_000;
    private static final int LOOKS_PER_KEEP_ALIVE = 15;
    private static final int WINDOW_SECONDS = 60;
    private static final long UINT32_MAX = 0xffff_ffffL;

    private final Cluster cluster;
    private final WorkerWatch watch;
    private final Mover mover;
    private final Clock clock;
    private final Changes changes;

    /// The parts it works with. Its listeners end with the cluster.
    public PlacementAdmin(Cluster cluster, WorkerWatch watch, Mover mover, Clock clock) {
        this.cluster = cluster;
        this.watch = watch;
        this.mover = mover;
        this.changes = mover.changes();
        this.clock = clock;
        var _ = cluster.placements().onChange(placement -> changes.happened());
        var _ = cluster.rules().onChange(rules -> changes.happened());
        var _ = cluster.directory().onChange(changes::happened);
    }

    /// Where every expert is.
    public GetPlacementResponse getPlacement(Caller caller, GetPlacementRequest request) {
        caller.require(Role.VIEWER);
        ModelView model = model(request.getModel());
        var response = GetPlacementResponse.newBuilder().setPlacement(state(model));
        mover.progress(model.digest()).ifPresent(progress -> response.setProgress(Plans.progress(progress)));
        return response.build();
    }

    /// How busy each expert was.
    public GetExpertLoadResponse getExpertLoad(Caller caller, GetExpertLoadRequest request) {
        caller.require(Role.VIEWER);
        ModelView model = model(request.getModel());
        LoadWindow load = load(model, seconds(request.getWindowSeconds(), WINDOW_SECONDS));
        Optional<Placement> placement = cluster.placements().current(model.digest());
        List<String> ids = States.workerIds(model, placement, workers());
        var response = GetExpertLoadResponse.newBuilder()
                .setModelDigest(model.digest())
                .setWindowSeconds(load.seconds())
                .setRows(load.sum())
                .addAllWorkerIds(ids)
                .setMeanImbalance(placement
                        .map(known -> LayerBalance.meanImbalance(known, load.rows()))
                        .orElse(0.0));
        for (int row = 0; row < model.facts().moeLayers().size(); row++) {
            response.addLayers(layer(model, placement, row, load.rows(), ids));
        }
        return response.build();
    }

    /// Sends the state now and after each change.
    public void watchPlacement(Caller caller, WatchPlacementRequest request, Feed<WatchPlacementResponse> feed)
            throws InterruptedException {
        caller.require(Role.VIEWER);
        ModelView model = model(request.getModel());
        long seen = changes.count();
        var last = GetPlacementResponse.getDefaultInstance();
        var whole = GetPlacementRequest.newBuilder().setModel(model.digest()).build();
        int quietLooks = 0;
        while (feed.isOpen()) {
            GetPlacementResponse next = getPlacement(caller, whole);
            if (!next.equals(last)) {
                feed.send(difference(last, next));
                last = next;
                quietLooks = 0;
            } else if (++quietLooks % LOOKS_PER_KEEP_ALIVE == 0) {
                feed.keepAlive();
            }
            seen = changes.await(seen, LOOK_MILLIS);
        }
    }

    /// A placement is large, and most changes are those of a plan's progress.
    private static WatchPlacementResponse difference(GetPlacementResponse last, GetPlacementResponse next) {
        var response = WatchPlacementResponse.newBuilder();
        if (!next.getPlacement().equals(last.getPlacement())) {
            response.setPlacement(next.getPlacement());
        }
        if (next.hasProgress()) {
            response.setProgress(next.getProgress());
        }
        return response.build();
    }

    private LayerLoad layer(ModelView model, Optional<Placement> placement, int row, long[] rows, List<String> ids) {
        int experts = model.facts().expertsPerLayer();
        var layer = LayerLoad.newBuilder().setLayer(model.facts().moeLayers().get(row));
        for (int cell = row * experts; cell < (row + 1) * experts; cell++) {
            layer.addRows(capped(rows[cell]));
        }
        placement.ifPresent(known -> {
            LayerBalance balance = LayerBalance.of(known, row, rows, ids);
            for (double workerRows : balance.workerRows()) {
                layer.addWorkerRows(capped(Math.round(workerRows)));
            }
            layer.setBalance(balance.balance()).setImbalance(balance.imbalance());
        });
        return layer.build();
    }

    private PlacementState state(ModelView model) {
        return States.placement(
                model,
                cluster.placements().current(model.digest()),
                cluster.rules().current(model.digest()),
                workers(),
                expertBytes(model));
    }

    private long[] expertBytes(ModelView model) {
        return workers().stream()
                .filter(worker -> worker.modelDigest().equals(model.digest()))
                .flatMap(worker -> watch.report(worker.id()).flatMap(WorkerReport::hosting).stream())
                .findFirst()
                .map(hosting -> hosting.bytesPerExpert())
                .orElse(new long[0]);
    }

    private LoadWindow load(ModelView model, int seconds) {
        return watch.load(model.digest())
                .map((LoadWindows windows) -> windows.window(seconds, clock.nanoTime()))
                .orElseGet(() -> new LoadWindow(0, new long[model.facts().expertCount()]));
    }

    private static int seconds(int wanted, int otherwise) {
        if (wanted < 0 || wanted > LoadWindows.SECONDS_MAX) {
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST,
                    "window_seconds = " + Integer.toUnsignedString(wanted) + " must be from 1 to "
                            + LoadWindows.SECONDS_MAX);
        }
        return wanted == 0 ? otherwise : wanted;
    }

    private static int capped(long rows) {
        return (int) Math.min(UINT32_MAX, rows);
    }

    private ModelView model(String name) {
        return ModelView.named(name, workers());
    }

    private List<WorkerAnnouncement> workers() {
        return cluster.directory().workers();
    }
}
