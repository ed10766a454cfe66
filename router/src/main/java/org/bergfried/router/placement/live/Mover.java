package org.bergfried.router.placement.live;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.Cluster;
import org.bergfried.contract.cluster.ExpertOnWorker;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.contract.cluster.WorkerAnnouncement.Role;
import org.bergfried.router.placement.plan.Plan;
import org.bergfried.router.placement.plan.PlanRequest;
import org.bergfried.router.placement.plan.Planner;

/// Makes plans and carries them out, one at a time.
public final class Mover implements AutoCloseable {
    private static final long KEPT_NANOS = 600_000_000_000L;
    private static final int KEPT_MAX = 16;
    private static final int WHO_CHARS_MAX = 64;

    private final Cluster cluster;
    private final int routersExpected;
    private final Hosts hosts;
    private final Function<String, Optional<LoadWindows>> loads;
    private final Clock clock;
    private final LongSupplier random;
    private final PlanRun.Fork fork = new VirtualFork();
    private final Changes changes = new Changes();
    private final Map<String, PreparedPlan> kept = new LinkedHashMap<>(); // by plan id, oldest first; guarded by this
    private final Map<String, PlanRun> lastRuns = new ConcurrentHashMap<>(); // by model digest
    private final AtomicReference<Thread> runner = new AtomicReference<>();
    private boolean isBusy; // guarded by this

    /// @param routersExpected the configured number of routers; a minority of them changes nothing.
    /// @param loads the load of a model's experts.
    /// @param random draws 64 bits that nobody else draws.
    public Mover(
            Cluster cluster,
            int routersExpected,
            Hosts hosts,
            Function<String, Optional<LoadWindows>> loads,
            Clock clock,
            LongSupplier random) {
        this.cluster = cluster;
        this.routersExpected = routersExpected;
        this.hosts = hosts;
        this.loads = loads;
        this.clock = clock;
        this.random = random;
    }

    /// Counts the changes of all progress.
    public Changes changes() {
        return changes;
    }

    /// How far the plan of a model is that runs, or the last one.
    public Optional<Progress> progress(String modelDigest) {
        return Optional.ofNullable(lastRuns.get(modelDigest)).map(PlanRun::progress);
    }

    /// Whether a plan is being carried out.
    public synchronized boolean isBusy() {
        return isBusy;
    }

    /// Makes a plan and keeps it for ten minutes.
    ///
    /// @throws ClusterException if there is none, or a worker does not say what it hosts.
    public PreparedPlan plan(Wish wish) throws InterruptedException {
        return prepare(wish, Planner::plan);
    }

    /// Makes a plan of single changes and keeps it for ten minutes.
    ///
    /// @throws ClusterException if one of them is impossible, or a worker does not say what it hosts.
    public PreparedPlan change(Wish wish, Set<ExpertOnWorker> added, Set<ExpertOnWorker> removed)
            throws InterruptedException {
        return prepare(wish, request -> Planner.change(request, added, removed));
    }

    /// A plan that was made before.
    ///
    /// @throws ClusterException STALE_PLAN if it is not kept any more, or something has changed since.
    public synchronized PreparedPlan kept(String planId) {
        PreparedPlan plan = kept.get(planId);
        if (plan == null || clock.nanoTime() - plan.madeAtNanos() > KEPT_NANOS) {
            throw new ClusterException(
                    ErrorReason.STALE_PLAN,
                    "this router does not know the plan " + planId + " or it is older than 10 minutes; plan again");
        }
        return plan;
    }

    /// Begins to carry a plan out, on a thread of its own.
    ///
    /// @param ended hears how it ended.
    /// @return tells how far it is.
    /// @throws ClusterException STALE_PLAN if another plan runs here, or something has changed since it was made.
    public synchronized Supplier<Progress> start(
            PreparedPlan plan, String who, String reason, Consumer<Progress> ended) {
        String digest = plan.request().modelDigest();
        if (isBusy) {
            String busy = lastRuns.values().stream()
                    .map(PlanRun::progress)
                    .filter(progress -> !progress.isOver())
                    .map(progress -> progress.planId() + " of " + progress.who())
                    .findFirst()
                    .orElse("another plan");
            throw new ClusterException(
                    ErrorReason.STALE_PLAN, busy + " is being carried out; wait for its end and plan again");
        }
        requireFresh(plan);
        var run = new PlanRun(plan, cluster, routersExpected, hosts, fork, Progress.begin(plan, who, reason), changes);
        lastRuns.put(digest, run);
        isBusy = true;
        runner.set(Thread.ofVirtual().name("plan-" + plan.request().planId()).start(() -> run(run, ended)));
        changes.happened();
        return run::progress;
    }

    @Override
    public void close() {
        Thread running = runner.get();
        if (running != null) {
            running.interrupt();
        }
    }

    private void run(PlanRun run, Consumer<Progress> ended) {
        try {
            run.run();
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        } finally {
            synchronized (this) {
                isBusy = false;
            }
            changes.happened();
            ended.accept(run.progress());
        }
    }

    private void requireFresh(PreparedPlan plan) {
        String digest = plan.request().modelDigest();
        Optional<Placement> current = cluster.placements().current(digest);
        boolean isSamePlacement = current.isPresent() && current.get().isSamePlan(plan.base());
        boolean hasSameRules = cluster.rules().current(digest).version() == plan.rulesVersion();
        if (!isSamePlacement || !hasSameRules) {
            String now = isSamePlacement
                    ? "pins, bans or drained workers have changed"
                    : current.map(placement -> "plan " + placement.planId() + " published epoch " + placement.epoch())
                            .orElse("there is no placement");
            throw new ClusterException(
                    ErrorReason.STALE_PLAN,
                    "plan " + plan.request().planId() + " was made from epoch "
                            + plan.base().epoch() + "; since then " + now + "; plan again");
        }
    }

    private PreparedPlan prepare(Wish wish, Function<PlanRequest, Plan> planner) throws InterruptedException {
        PlanInputs inputs = inputs(wish);
        PlanRequest request = inputs.request(wish, planId(wish));
        Plan plan = planner.apply(request);
        var prepared = new PreparedPlan(
                request,
                plan,
                inputs.base(),
                inputs.rules().version(),
                inputs.load().seconds(),
                plan.isEmpty() ? List.of() : inputs.leftovers(plan),
                clock.nanoTime());
        synchronized (this) {
            kept.put(request.planId(), prepared);
            if (kept.size() > KEPT_MAX) {
                kept.remove(kept.keySet().iterator().next());
            }
        }
        return prepared;
    }

    private String planId(Wish wish) {
        String who =
                wish.who().length() <= WHO_CHARS_MAX ? wish.who() : wish.who().substring(0, WHO_CHARS_MAX);
        return wish.verb() + "-" + who + "-" + String.format("%08x", random.getAsLong() & 0xffff_ffffL);
    }

    private PlanInputs inputs(Wish wish) throws InterruptedException {
        Placement base = cluster.placements()
                .current(wish.modelDigest())
                .orElseThrow(() -> new ClusterException(
                        ErrorReason.EXPERT_UNPLACED,
                        "the model has no placement yet; wait until its expert workers are ready"));
        List<WorkerAnnouncement> workers = cluster.directory().workers().stream()
                .filter(worker ->
                        worker.serves(Role.EXPERT) && worker.modelDigest().equals(wish.modelDigest()))
                .toList();
        Map<String, Hosting> hostings = new ConcurrentHashMap<>();
        List<PlanRun.Work> questions = new ArrayList<>();
        for (WorkerAnnouncement worker : workers) {
            questions.add(() -> hostings.put(worker.id(), hosts.hosting(worker)));
        }
        fork.all(questions);
        LoadWindow load = loads.apply(wish.modelDigest())
                .map(windows -> windows.window(wish.windowSeconds(), clock.nanoTime()))
                .orElseGet(() -> new LoadWindow(0, new long[base.facts().expertCount()]));
        return new PlanInputs(base, cluster.rules().current(wish.modelDigest()), workers, hostings, load);
    }
}
