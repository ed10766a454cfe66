package org.bergfried.worker.member;

import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.Cluster;
import org.bergfried.contract.cluster.ExpertSet;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.cluster.Registration;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.worker.expert.Installation;
import org.bergfried.worker.hosting.Hosting;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Announces this worker and its state, and installs the experts that the newest placement gives it. All of it
/// happens on one thread of its own, because calls to the cluster may take seconds.
///
/// An expert that a newer placement gives to others stays in memory until a router's command evicts it: letting go of
/// it needs the word of another host that has it, and a host that has more than it must is never wrong.
public final class Membership implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Membership.class);
    private static final long RETRY_MILLIS = 1000;

    private final Cluster cluster;
    private final Consumer<ClusterException> onReplaced;
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("membership").factory());
    private volatile WorkerAnnouncement said; // written by the thread
    private Optional<Hosting> hosting = Optional.empty(); // by the thread
    private volatile Registration placements = () -> {};
    private boolean announced; // by the thread; whether the cluster has heard `said`
    private volatile long epochSeen;
    private final AtomicBoolean reportQueued = new AtomicBoolean();

    /// Announces the worker.
    ///
    /// @param first      what it says of itself at first.
    /// @param onReplaced hears that another process has taken this worker's place: this one must end.
    public Membership(Cluster cluster, WorkerAnnouncement first, Consumer<ClusterException> onReplaced) {
        this.cluster = cluster;
        this.onReplaced = onReplaced;
        said = first;
        run(this::announce);
    }

    /// Begins to follow the placement. Called once.
    ///
    /// @param experts what this worker has in memory, if it hosts experts.
    public void followPlacement(Optional<Hosting> experts) {
        run(() -> hosting = experts);
        experts.ifPresent(host -> host.onChange(this::reportSoon));
        placements = cluster.placements().onChange(placement -> run(() -> follow(placement)));
        String digest = said.modelDigest();
        run(() -> cluster.placements().current(digest).ifPresent(this::follow));
    }

    /// Announces another state, soon.
    public void become(WorkerAnnouncement.State state) {
        run(() -> {
            said = said.with(state);
            announce();
        });
    }

    /// The highest placement epoch that it has acted on; 0 for none.
    public long epochSeen() {
        return epochSeen;
    }

    /// Takes the worker off the list and ends the thread.
    @Override
    public void close() {
        placements.close();
        run(this::withdraw);
        thread.shutdown();
        try {
            if (!thread.awaitTermination(5, TimeUnit.SECONDS)) {
                thread.shutdownNow();
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void run(Runnable task) {
        try {
            thread.execute(() -> {
                try {
                    task.run();
                } catch (RuntimeException bug) {
                    LOG.error("A change of this worker's membership failed", bug); // the executor would keep it quiet
                }
            });
        } catch (RejectedExecutionException closed) {
            LOG.debug("A change came after the end of this membership");
        }
    }

    private void announce() {
        try {
            cluster.directory().announce(said);
            announced = true;
        } catch (ClusterException refused) {
            announced = false;
            if (refused.reason() == ErrorReason.FORBIDDEN) {
                onReplaced.accept(refused);
                return;
            }
            LOG.warn("The cluster did not take the announcement ({}); trying again", refused.text());
            retry();
        }
    }

    private void retry() {
        try {
            var _ = thread.schedule(
                    () -> {
                        if (!announced) {
                            announce();
                        }
                    },
                    RETRY_MILLIS,
                    TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException closed) {
            LOG.debug("No further announcement after the end of this membership");
        }
    }

    private void withdraw() {
        try {
            cluster.directory().withdraw(said.id());
        } catch (ClusterException late) {
            LOG.debug("The lease runs out by itself", late);
        }
    }

    private void follow(Placement placement) {
        if (!placement.modelDigest().equals(said.modelDigest()) || placement.epoch() <= epochSeen) {
            return;
        }
        epochSeen = placement.epoch();
        hosting.ifPresentOrElse(host -> install(placement, host), () -> report(placement.epoch()));
    }

    private void install(Placement placement, Hosting host) {
        Installation installation = host.follow(placement);
        LOG.info(
                "Placement {} of plan {}: {} to install, {} in memory",
                placement.epoch(),
                placement.planId(),
                installation.total(),
                host.hot().count());
        var _ = installation.done().whenComplete((nothing, failure) -> {
            if (failure != null) {
                LOG.error(
                        "Placement {}: {} of {} experts are installed; the others stay cold: {}",
                        placement.epoch(),
                        installation.installed(),
                        installation.total(),
                        failure.getMessage());
            }
            host.sawEpoch(placement.epoch());
            run(() -> report(placement.epoch()));
        });
    }

    /// Says which experts are in memory; many changes that come at once are said once.
    private void reportSoon() {
        if (!reportQueued.getAndSet(true)) {
            run(() -> {
                reportQueued.set(false);
                report(0);
            });
        }
    }

    /// Says which experts are in memory now.
    private void report(long epoch) {
        ExpertSet hot = hosting.map(Hosting::hot).orElse(said.hotExperts());
        long free = hosting.map(Hosting::freeBytes).orElse(said.freeBytes());
        said = said.with(hot, Math.max(epoch, said.placementEpochSeen()), free);
        announce();
    }
}
