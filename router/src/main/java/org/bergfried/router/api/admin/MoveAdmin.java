package org.bergfried.router.api.admin;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.Cluster;
import org.bergfried.contract.cluster.ExpertOnWorker;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.proto.admin.v1.ApplyRequest;
import org.bergfried.proto.admin.v1.ApplyResponse;
import org.bergfried.proto.admin.v1.EvictRequest;
import org.bergfried.proto.admin.v1.EvictResponse;
import org.bergfried.proto.admin.v1.MoveRequest;
import org.bergfried.proto.admin.v1.MoveResponse;
import org.bergfried.proto.admin.v1.PlanOptions;
import org.bergfried.proto.admin.v1.PlanRequest;
import org.bergfried.proto.admin.v1.PlanResponse;
import org.bergfried.proto.admin.v1.ReplicateRequest;
import org.bergfried.proto.admin.v1.ReplicateResponse;
import org.bergfried.router.auth.Caller;
import org.bergfried.router.auth.Role;
import org.bergfried.router.placement.live.Audit;
import org.bergfried.router.placement.live.LoadWindows;
import org.bergfried.router.placement.live.Mover;
import org.bergfried.router.placement.live.PreparedPlan;
import org.bergfried.router.placement.live.Progress;
import org.bergfried.router.placement.live.Wish;
import org.bergfried.router.placement.plan.PlanSettings;

/// The part of `PlacementService` that moves experts.
public final class MoveAdmin {
    private static final long LOOK_MILLIS = 1_000;

    private final Cluster cluster;
    private final Mover mover;
    private final Audit audit = new Audit();

    /// Moves with this mover.
    public MoveAdmin(Cluster cluster, Mover mover) {
        this.cluster = cluster;
        this.mover = mover;
    }

    /// What an apply would do.
    public PlanResponse plan(Caller caller, PlanRequest request) throws InterruptedException {
        caller.require(Role.VIEWER);
        ModelView model = model(request.getModel());
        PreparedPlan plan = mover.plan(wish(caller, model, request.getOptions()));
        return PlanResponse.newBuilder()
                .setPlan(Plans.summary(model, plan, cluster.rules().current(model.digest()), workers()))
                .build();
    }

    /// Carries a plan out.
    public void apply(Caller caller, ApplyRequest request, Feed<ApplyResponse> feed) throws InterruptedException {
        caller.require(Role.OPERATOR);
        String reason = Reasons.checked(request.getReason());
        ModelView model = model(request.getModel());
        PreparedPlan plan = request.getPlanId().isEmpty()
                ? mover.plan(wish(caller, model, request.getOptions()))
                : mover.kept(request.getPlanId());
        run(
                "apply",
                caller,
                reason,
                plan,
                feed,
                progress -> ApplyResponse.newBuilder()
                        .setProgress(Plans.progress(progress))
                        .build());
    }

    /// Moves an expert.
    public void move(Caller caller, MoveRequest request, Feed<MoveResponse> feed) throws InterruptedException {
        caller.require(Role.OPERATOR);
        String reason = Reasons.checked(request.getReason());
        PreparedPlan plan = change(
                "move",
                caller,
                model(request.getModel()),
                Set.of(Experts.on(request.getLayer(), request.getExpert(), request.getToWorkerId())),
                Set.of(Experts.on(request.getLayer(), request.getExpert(), request.getFromWorkerId())));
        run(
                "move",
                caller,
                reason,
                plan,
                feed,
                progress -> MoveResponse.newBuilder()
                        .setProgress(Plans.progress(progress))
                        .build());
    }

    /// Brings a further replica of an expert to a worker.
    public void replicate(Caller caller, ReplicateRequest request, Feed<ReplicateResponse> feed)
            throws InterruptedException {
        caller.require(Role.OPERATOR);
        String reason = Reasons.checked(request.getReason());
        PreparedPlan plan = change(
                "replicate",
                caller,
                model(request.getModel()),
                Set.of(Experts.on(request.getLayer(), request.getExpert(), request.getToWorkerId())),
                Set.of());
        run(
                "replicate",
                caller,
                reason,
                plan,
                feed,
                progress -> ReplicateResponse.newBuilder()
                        .setProgress(Plans.progress(progress))
                        .build());
    }

    /// Takes a replica of an expert from a worker.
    public void evict(Caller caller, EvictRequest request, Feed<EvictResponse> feed) throws InterruptedException {
        caller.require(Role.OPERATOR);
        String reason = Reasons.checked(request.getReason());
        PreparedPlan plan = change(
                "evict",
                caller,
                model(request.getModel()),
                Set.of(),
                Set.of(Experts.on(request.getLayer(), request.getExpert(), request.getWorkerId())));
        run(
                "evict",
                caller,
                reason,
                plan,
                feed,
                progress -> EvictResponse.newBuilder()
                        .setProgress(Plans.progress(progress))
                        .build());
    }

    private PreparedPlan change(
            String verb, Caller caller, ModelView model, Set<ExpertOnWorker> added, Set<ExpertOnWorker> removed)
            throws InterruptedException {
        var wish = new Wish(
                verb,
                caller.name(),
                model.digest(),
                PlanSettings.defaults(),
                LoadWindows.SECONDS_MAX,
                Set.of(),
                Set.of());
        return mover.change(wish, added, removed);
    }

    private <R> void run(
            String action,
            Caller caller,
            String reason,
            PreparedPlan plan,
            Feed<R> feed,
            Function<Progress, R> response)
            throws InterruptedException {
        audit.started(action, caller.name(), reason, plan);
        Supplier<Progress> progress = mover.start(plan, caller.name(), reason, audit::ended);
        follow(mover, progress, next -> feed.send(response.apply(next)), feed);
    }

    /// Tells each change of a plan's progress until it is over or the client has gone.
    static void follow(Mover mover, Supplier<Progress> progress, Consumer<Progress> changed, Feed<?> feed)
            throws InterruptedException {
        long seen = mover.changes().count();
        Optional<Progress> last = Optional.empty();
        while (feed.isOpen()) {
            Progress now = progress.get();
            if (!last.equals(Optional.of(now))) {
                changed.accept(now);
                last = Optional.of(now);
            }
            if (now.isOver()) {
                return;
            }
            seen = mover.changes().await(seen, LOOK_MILLIS);
        }
    }

    private static Wish wish(Caller caller, ModelView model, PlanOptions options) {
        int seconds = options.getWindowSeconds();
        if (seconds < 0 || seconds > LoadWindows.SECONDS_MAX) {
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST,
                    "window_seconds = " + Integer.toUnsignedString(seconds) + " must be from 1 to "
                            + LoadWindows.SECONDS_MAX);
        }
        PlanSettings usual = PlanSettings.defaults();
        return new Wish(
                "plan",
                caller.name(),
                model.digest(),
                new PlanSettings(
                        options.hasGainMin() ? options.getGainMin() : usual.gainMin(),
                        options.getReplicasMax() == 0 ? usual.replicasMax() : options.getReplicasMax()),
                seconds == 0 ? LoadWindows.SECONDS_MAX : seconds,
                pairs(options.getPinsList()),
                pairs(options.getBansList()));
    }

    private static Set<ExpertOnWorker> pairs(List<org.bergfried.proto.admin.v1.ExpertOnWorker> wire) {
        var pairs = new HashSet<ExpertOnWorker>();
        wire.forEach(one -> pairs.add(Experts.on(one.getLayer(), one.getExpert(), one.getWorkerId())));
        return pairs;
    }

    private ModelView model(String name) {
        return ModelView.named(name, workers());
    }

    private List<WorkerAnnouncement> workers() {
        return cluster.directory().workers();
    }
}
