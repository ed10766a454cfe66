package org.bergfried.router.failover;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Phaser;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.GenerationRecord;
import org.bergfried.contract.cluster.GenerationStore;
import org.bergfried.contract.cluster.StoredGeneration;
import org.bergfried.router.admit.Admission;
import org.bergfried.router.home.HomeLoads;
import org.bergfried.router.meter.RouterMeters;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// All generations of this router: starts them, resumes them, and tells them what changes around them.
public final class Generations {
    private static final Logger LOG = LoggerFactory.getLogger(Generations.class);
    private static final Duration CANCEL_TIMEOUT = Duration.ofSeconds(2);

    private final Workplace workplace;
    private final Admission admission;
    private final CourseLimits limits;
    private final ThreadFactory threads;
    private final RouterMeters meters;
    private final Map<String, Generation> running = new ConcurrentHashMap<>();
    private final Phaser idle = new Phaser(1);

    /// Generations that are stored in the store and run at the homes that the calls reach.
    public Generations(
            GenerationStore store,
            AttemptCalls calls,
            HomeLoads loads,
            Admission admission,
            RouterMeters meters,
            Clock clock) {
        this.workplace = new Workplace(store, calls, loads, meters, clock, this::forget);
        this.admission = admission;
        this.limits = CourseLimits.DEFAULT;
        this.threads = Thread.ofVirtual().name("generation-", 0).factory();
        this.meters = meters;
    }

    /// Starts a generation.
    ///
    /// @param timeout after which the caller gives up; empty for never.
    /// @throws ClusterException with QUEUE_FULL if admission refuses.
    public Generation start(
            GenerationRecord generation, Optional<Duration> timeout, HomeSource homes, GenerationListener listener) {
        long deadline = deadline(timeout);
        var course = GenerationCourse.fresh(generation, limits, deadline, homes);
        return launch(generation, course, deadline, listener);
    }

    /// Goes on with a generation: with the running one if it runs here, else with what the store has of it.
    ///
    /// @param listeners gives the client's side of a record; it hears everything from position 0.
    /// @param homes gives the homes of a record.
    /// @throws ClusterException with GENERATION_NOT_FOUND if there is none of that id for the tenant.
    public Generation resume(
            String generationId,
            String tenant,
            Optional<Duration> timeout,
            Function<GenerationRecord, HomeSource> homes,
            Function<GenerationRecord, GenerationListener> listeners) {
        Generation here = running.get(generationId);
        if (here != null) {
            requireTenant(here.generation(), tenant);
            if (here.attach(listeners.apply(here.generation()))) {
                meters.resumed();
                return here;
            }
        }
        StoredGeneration stored = workplace.store().read(generationId).orElseThrow(() -> unknown(generationId));
        GenerationRecord generation = stored.generation();
        requireTenant(generation, tenant);
        long deadline = deadline(timeout);
        var course = GenerationCourse.resumed(
                generation, limits, deadline, homes.apply(generation), stored.attempt(), stored.ids());
        Generation resumed = launch(generation, course, deadline, listeners.apply(generation));
        meters.resumed();
        return resumed;
    }

    /// Tells all generations that the list of workers changed.
    public void homesChanged() {
        running.values().forEach(generation -> generation.signal(new Signal.HomesChanged()));
    }

    /// Waits until no generation runs, and ends those that still run after the timeout; they can be resumed at
    /// another router. Those that do not end within another two seconds are left to the end of the process.
    public void drain(Duration timeout) throws InterruptedException {
        int phase = idle.arriveAndDeregister();
        try {
            if (phase >= 0) {
                idle.awaitAdvanceInterruptibly(phase, timeout.toMillis(), TimeUnit.MILLISECONDS);
            }
        } catch (TimeoutException stillRunning) {
            running.values()
                    .forEach(generation -> generation.cancel(
                            ErrorReason.DRAINING,
                            "the router shuts down; resume generation "
                                    + generation.generation().generationId() + " at another router"));
            awaitCancelled(phase);
        }
    }

    private void awaitCancelled(int phase) throws InterruptedException {
        try {
            idle.awaitAdvanceInterruptibly(phase, CANCEL_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException stuck) {
            LOG.warn("{} generations did not end within {} s", running.size(), CANCEL_TIMEOUT.toSeconds());
        }
    }

    private Generation launch(
            GenerationRecord record, GenerationCourse course, long deadline, GenerationListener listener) {
        long origin = workplace.clock().nanoTime();
        var generation = new Generation(record, course, workplace, origin, deadline, listener);
        Admission.Ticket ticket = admission.enter(() -> generation.signal(new Signal.Admitted()));
        running.put(record.generationId(), generation);
        idle.register();
        threads.newThread(() -> {
                    try {
                        generation.run();
                    } finally {
                        ticket.close();
                        idle.arriveAndDeregister();
                    }
                })
                .start();
        return generation;
    }

    private void forget(Generation generation) {
        running.remove(generation.generation().generationId(), generation);
    }

    private static long deadline(Optional<Duration> timeout) {
        return timeout.map(Duration::toNanos).orElse(Long.MAX_VALUE);
    }

    private static void requireTenant(GenerationRecord generation, String tenant) {
        if (!generation.tenant().equals(tenant)) {
            throw unknown(generation.generationId());
        }
    }

    private static ClusterException unknown(String generationId) {
        return new ClusterException(
                ErrorReason.GENERATION_NOT_FOUND,
                "there is no generation \"" + generationId + "\" to resume for this tenant; a generation is kept until"
                        + " 120 s after its end");
    }
}
