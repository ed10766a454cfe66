package org.bergfried.router.api.admin;

import java.util.Optional;
import java.util.function.Supplier;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.Cluster;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.proto.admin.v1.DrainWorkerRequest;
import org.bergfried.proto.admin.v1.DrainWorkerResponse;
import org.bergfried.proto.admin.v1.UndrainWorkerRequest;
import org.bergfried.proto.admin.v1.UndrainWorkerResponse;
import org.bergfried.router.auth.Caller;
import org.bergfried.router.auth.Role;
import org.bergfried.router.client.WorkerWatch;
import org.bergfried.router.placement.live.Audit;
import org.bergfried.router.placement.live.Mover;
import org.bergfried.router.placement.live.PreparedPlan;
import org.bergfried.router.placement.live.Progress;
import org.bergfried.router.placement.live.Wish;
import org.bergfried.router.placement.live.WorkerReport;

/// The part of `ClusterService` that drains workers. That a worker is drained is kept in shared state: new generations
/// avoid it and plans give it nothing until it is given back.
public final class DrainAdmin {
    private static final long LOOK_MILLIS = 1_000;

    private final Cluster cluster;
    private final WorkerWatch watch;
    private final Mover mover;
    private final Audit audit = new Audit();

    /// Drains with this mover.
    public DrainAdmin(Cluster cluster, WorkerWatch watch, Mover mover) {
        this.cluster = cluster;
        this.watch = watch;
        this.mover = mover;
    }

    /// Drains a worker: experts away, then generations awaited.
    public void drainWorker(Caller caller, DrainWorkerRequest request, Feed<DrainWorkerResponse> feed)
            throws InterruptedException {
        caller.require(Role.OPERATOR);
        String reason = Reasons.checked(request.getReason());
        WorkerAnnouncement worker = worker(request.getWorkerId());
        requireAnotherHome(worker);
        String digest = worker.modelDigest();
        cluster.rules().change(digest, rules -> rules.withDraining(worker.id()));
        audit.changed("drain", caller.name(), reason, digest, "worker " + worker.id());
        Optional<Progress> moved = Optional.empty();
        if (expertsLeft(worker) > 0) {
            moved = moveAway(caller, reason, worker, feed);
        }
        if (moved.isEmpty() || moved.get().state() == Progress.State.DONE) {
            awaitGenerations(worker, moved, feed);
        }
    }

    /// Gives a worker back, whether it lives or not.
    public UndrainWorkerResponse undrainWorker(Caller caller, UndrainWorkerRequest request) {
        caller.require(Role.OPERATOR);
        String reason = Reasons.checked(request.getReason());
        String id = request.getWorkerId();
        for (ModelView model : ModelView.all(cluster.directory().workers())) {
            if (cluster.rules().current(model.digest()).draining().contains(id)) {
                cluster.rules().change(model.digest(), rules -> rules.withoutDraining(id));
                audit.changed("undrain", caller.name(), reason, model.digest(), "worker " + id);
                return UndrainWorkerResponse.getDefaultInstance();
            }
        }
        throw new ClusterException(
                ErrorReason.INVALID_REQUEST, "worker " + worker(id).id() + " is not being drained");
    }

    private Optional<Progress> moveAway(
            Caller caller, String reason, WorkerAnnouncement worker, Feed<DrainWorkerResponse> feed)
            throws InterruptedException {
        PreparedPlan plan = mover.plan(Wish.repairs("drain", caller.name(), worker.modelDigest()));
        audit.started("drain", caller.name(), reason, plan);
        Supplier<Progress> progress = mover.start(plan, caller.name(), reason, audit::ended);
        MoveAdmin.follow(mover, progress, now -> feed.send(response(worker, Optional.of(now))), feed);
        return Optional.of(progress.get());
    }

    private void awaitGenerations(WorkerAnnouncement worker, Optional<Progress> moved, Feed<DrainWorkerResponse> feed)
            throws InterruptedException {
        long seen = watch.looks().count();
        seen = watch.looks().await(seen, 3 * LOOK_MILLIS); // figures of before the drain do not count
        while (feed.isOpen()) {
            DrainWorkerResponse now = response(worker, moved);
            feed.send(now);
            if (now.getDrained()) {
                return;
            }
            seen = watch.looks().await(seen, LOOK_MILLIS);
        }
    }

    private DrainWorkerResponse response(WorkerAnnouncement worker, Optional<Progress> progress) {
        int experts = expertsLeft(worker);
        int generations = watch.report(worker.id())
                .flatMap(WorkerReport::home)
                .map(home -> home.queued() + home.running())
                .orElse(0);
        boolean isMoved = progress.map(Progress::isOver).orElse(true);
        var response = DrainWorkerResponse.newBuilder()
                .setExpertsLeft(experts)
                .setGenerationsLeft(generations)
                .setDrained(isMoved && experts == 0 && generations == 0);
        progress.ifPresent(known -> response.setProgress(Plans.progress(known)));
        return response.build();
    }

    private int expertsLeft(WorkerAnnouncement worker) {
        return cluster.placements()
                .current(worker.modelDigest())
                .map(placement -> placement.expertsOn(worker.id()).count())
                .orElse(0);
    }

    private WorkerAnnouncement worker(String id) {
        return cluster.directory().workers().stream()
                .filter(worker -> worker.id().equals(id))
                .findFirst()
                .orElseThrow(() -> new ClusterException(
                        ErrorReason.INVALID_REQUEST,
                        "there is no worker \"" + id + "\"; there are "
                                + cluster.directory().workers().stream()
                                        .map(WorkerAnnouncement::id)
                                        .toList()));
    }

    private void requireAnotherHome(WorkerAnnouncement worker) {
        var draining = cluster.rules().current(worker.modelDigest()).draining();
        boolean isHome = worker.roles().contains(WorkerAnnouncement.Role.TRUNK);
        boolean hasOther = cluster.directory().workers().stream()
                .anyMatch(other -> !other.id().equals(worker.id())
                        && other.serves(WorkerAnnouncement.Role.TRUNK)
                        && other.modelDigest().equals(worker.modelDigest())
                        && !draining.contains(other.id()));
        if (isHome && !hasOther) {
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST,
                    "worker " + worker.id() + " is the only home that is not drained; nobody could answer");
        }
    }
}
