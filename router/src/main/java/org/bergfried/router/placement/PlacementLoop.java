package org.bergfried.router.placement;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.cluster.Cluster;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.cluster.Registration;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Runs {@link FirstPlacement} for every model of the cluster, on a virtual thread of its own.
public final class PlacementLoop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PlacementLoop.class);
    private static final long RETRY_NANOS = 1_000_000_000L;

    private final Cluster cluster;
    private final PlacementConfig config;
    private final Clock clock;
    private final Map<String, FirstPlacement> models = new HashMap<>();
    private final Semaphore changed = new Semaphore(1);
    private final Registration registration;
    private final Thread thread;

    /// Starts placing.
    public PlacementLoop(Cluster cluster, PlacementConfig config, Clock clock) {
        this.cluster = cluster;
        this.config = config;
        this.clock = clock;
        this.registration = cluster.directory().onChange(changed::release);
        this.thread = Thread.ofVirtual().name("placement").start(this::run);
    }

    @Override
    public void close() {
        registration.close();
        thread.interrupt();
    }

    private void run() {
        try {
            long wake = 0;
            while (true) {
                long wait = wake == Long.MAX_VALUE ? Long.MAX_VALUE : Math.max(0, wake - clock.nanoTime());
                var _ = changed.tryAcquire(wait, TimeUnit.NANOSECONDS);
                changed.drainPermits();
                wake = decideAllGuarded();
            }
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
    }

    /// A decision that fails must not be the last one.
    private long decideAllGuarded() {
        try {
            return decideAll();
        } catch (RuntimeException failed) {
            LOG.error("Placing failed; trying again", failed);
            return clock.nanoTime() + RETRY_NANOS;
        }
    }

    private long decideAll() {
        List<WorkerAnnouncement> workers = cluster.directory().workers();
        long now = clock.nanoTime();
        if (cluster.livingRouters() * 2 <= config.expectedRouters()) {
            return now + RETRY_NANOS; // a minority serves and does not place
        }
        long wake = Long.MAX_VALUE;
        for (WorkerAnnouncement worker : workers) {
            models.computeIfAbsent(
                    worker.modelDigest(), digest -> new FirstPlacement(digest, config.expectedWorkers()));
        }
        for (var model : models.entrySet()) {
            wake = Math.min(wake, decide(model.getKey(), model.getValue(), workers, now));
        }
        return wake;
    }

    private long decide(String digest, FirstPlacement decisions, List<WorkerAnnouncement> workers, long now) {
        Optional<Placement> current = cluster.placements().current(digest);
        if (current.isPresent() && cluster.rules().current(digest).version() > 0) {
            return Long.MAX_VALUE; // an operator has taken over
        }
        Optional<Placement> next = decisions.decide(workers, current, now);
        if (next.isPresent() && !publish(next.get())) {
            return now + RETRY_NANOS;
        }
        return decisions.wakeAtNanos(cluster.placements().current(digest), now);
    }

    private boolean publish(Placement placement) {
        try {
            boolean published = cluster.placements().publish(placement);
            if (published) {
                LOG.info("Published {}", placement);
            }
            return published;
        } catch (ClusterException unavailable) {
            LOG.warn("Could not publish {}, trying again: {}", placement, unavailable.text());
            return false;
        }
    }
}
