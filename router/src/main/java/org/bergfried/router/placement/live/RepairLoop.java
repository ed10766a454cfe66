package org.bergfried.router.placement.live;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.cluster.Cluster;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.cluster.PlacementRules;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Repairs placements that an operator has taken over, by itself: on a virtual thread of its own, once a second.
/// Several routers wait for different times, so that one comes first.
public final class RepairLoop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RepairLoop.class);
    private static final String WHO = "repair";
    private static final String WHY = "experts were lost, unplaced, on a drained worker or not where they are pinned";
    private static final long INTERVAL_MILLIS = 1_000;

    private final Cluster cluster;
    private final Mover mover;
    private final Audit audit;
    private final int routersExpected;
    private final Clock clock;
    private final long quietNanos;
    private final Map<String, RepairRule> models = new HashMap<>(); // used by the thread only
    private final Semaphore closed = new Semaphore(0);
    private final Thread thread;

    /// Starts to look.
    ///
    /// @param quiet how long trouble must have stayed the same; up to half as much again is added by luck.
    public RepairLoop(
            Cluster cluster, Mover mover, int routersExpected, Duration quiet, Clock clock, LongSupplier random) {
        this.cluster = cluster;
        this.mover = mover;
        this.audit = new Audit();
        this.routersExpected = routersExpected;
        this.clock = clock;
        this.quietNanos = quiet.toNanos() + Math.floorMod(random.getAsLong(), quiet.toNanos() / 2 + 1);
        this.thread = Thread.ofVirtual().name("placement-repair").start(this::run);
    }

    @Override
    public void close() {
        closed.release();
        thread.interrupt();
    }

    private void run() {
        try {
            while (!closed.tryAcquire(INTERVAL_MILLIS, TimeUnit.MILLISECONDS)) {
                lookGuarded();
            }
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    /// A look that fails must not be the last one.
    private void lookGuarded() throws InterruptedException {
        try {
            look();
        } catch (ClusterException impossible) {
            LOG.warn("Could not repair a placement, trying again later: {}", impossible.text());
        } catch (RuntimeException failed) {
            LOG.error("Looking for lost experts failed; trying again", failed);
        }
    }

    private void look() throws InterruptedException {
        List<WorkerAnnouncement> workers = cluster.directory().workers();
        for (WorkerAnnouncement worker : workers) {
            models.computeIfAbsent(worker.modelDigest(), digest -> new RepairRule(quietNanos));
        }
        if (mover.isBusy() || cluster.livingRouters() * 2 <= routersExpected) {
            return;
        }
        for (var model : models.entrySet()) {
            Optional<Placement> placement = cluster.placements().current(model.getKey());
            PlacementRules rules = cluster.rules().current(model.getKey());
            boolean isAutomatic = placement.map(Takeover::isAutomatic).orElse(true) && rules.version() == 0;
            if (!isAutomatic && model.getValue().isDue(workers, placement, rules, clock.nanoTime())) {
                repair(model.getKey());
            }
        }
    }

    private void repair(String digest) throws InterruptedException {
        PreparedPlan plan = mover.plan(Wish.repairs(WHO, WHO, digest));
        if (!plan.plan().isEmpty()) {
            audit.started("repair", WHO, WHY, plan);
            var _ = mover.start(plan, WHO, WHY, audit::ended);
        }
    }
}
