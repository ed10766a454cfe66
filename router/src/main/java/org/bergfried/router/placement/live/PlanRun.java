package org.bergfried.router.placement.live;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.Cluster;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.router.placement.live.Hosts.Command;
import org.bergfried.router.placement.live.Hosts.Eviction;
import org.bergfried.router.placement.live.Hosts.Expert;
import org.bergfried.router.placement.plan.PlanStep;

/// Carries one plan out, wave by wave: installs at all workers at once, activates by compare-and-set, drains, evicts.
/// Whatever fails ends the plan where it is, which is always consistent: nothing is placed that is not installed, and
/// nothing is evicted that the published placement needs there. What stays in memory without being placed is freed, or
/// used, by the next plan.
final class PlanRun {
    private static final Duration DRAIN_LONGEST = Duration.ofSeconds(60);

    private final PreparedPlan prepared;
    private final Cluster cluster;
    private final int routersExpected;
    private final Hosts hosts;
    private final Fork fork;
    private Placement published; // what this plan published last, or started from
    private Progress progress;
    private final Changes changes;

    /// A plan that somebody else has overtaken.
    private static final class Superseded extends Exception {
        private static final long serialVersionUID = 1L;

        Superseded(String why) {
            super(why);
        }
    }

    /// Something that is done for a worker.
    @FunctionalInterface
    interface Work {
        void run() throws InterruptedException;
    }

    /// Does things at once and returns when all are done.
    interface Fork {
        /// Runs everything; afterwards throws the first failure, if there was one.
        void all(List<Work> works) throws InterruptedException;
    }

    PlanRun(
            PreparedPlan prepared,
            Cluster cluster,
            int routersExpected,
            Hosts hosts,
            Fork fork,
            Progress begin,
            Changes changes) {
        this.prepared = prepared;
        this.cluster = cluster;
        this.routersExpected = routersExpected;
        this.hosts = hosts;
        this.fork = fork;
        this.published = prepared.base();
        this.progress = begin;
        this.changes = changes;
    }

    /// How far it is.
    synchronized Progress progress() {
        return progress;
    }

    /// Carries everything out; how it ended is in the progress.
    void run() throws InterruptedException {
        try {
            requireNotOvertaken();
            for (Map.Entry<String, List<PreparedPlan.Leftover>> entry : byWorker(
                            prepared.leftovers(), PreparedPlan.Leftover::workerId)
                    .entrySet()) {
                free(entry.getKey(), entry.getValue());
            }
            for (Wave wave : Wave.of(prepared.plan().steps())) {
                carryOut(wave);
            }
            change(now -> now.ended(Progress.State.DONE, ""));
        } catch (Superseded overtaken) {
            change(now -> now.ended(Progress.State.SUPERSEDED, String.valueOf(overtaken.getMessage())));
        } catch (ClusterException failed) {
            Progress.State end =
                    failed.reason() == ErrorReason.STALE_PLAN ? Progress.State.SUPERSEDED : Progress.State.FAILED;
            change(now -> now.ended(end, advice(failed)));
        } catch (RuntimeException bug) {
            change(now -> now.ended(Progress.State.FAILED, "a bug: " + bug));
            throw bug;
        } catch (InterruptedException ended) {
            change(now -> now.ended(Progress.State.FAILED, "the router ends; plan again at another router"));
            throw ended;
        }
    }

    private void carryOut(Wave wave) throws InterruptedException, Superseded {
        requireNotOvertaken();
        var command = command(wave.activate().epoch());
        install(command, wave.installs());
        confirm(command, wave.installs());
        requireNotOvertaken();
        activate(wave.activate());
        drain(command, wave.drains());
        evict(command, wave.evicts());
    }

    private void install(Command command, List<PlanStep.Install> installs) throws InterruptedException {
        var works = new ArrayList<Work>();
        byWorker(installs, PlanStep.Install::workerId)
                .forEach((workerId, wanted) -> works.add(() -> {
                    change(now -> now.at(wanted.getFirst()));
                    install(command, worker(workerId), wanted);
                }));
        fork.all(works);
    }

    private void install(Command command, WorkerAnnouncement worker, List<PlanStep.Install> wanted) {
        Map<Expert, PlanStep.Install> open = new LinkedHashMap<>();
        wanted.forEach(install -> open.put(new Expert(install.layer(), install.expert()), install));
        List<String> sources = wanted.stream()
                .flatMap(install -> install.source().stream())
                .distinct()
                .limit(8)
                .toList();
        var failures = new ArrayList<String>();
        hosts.install(worker, command, List.copyOf(open.keySet()), sources, installed -> {
            PlanStep.Install step = open.remove(installed.expert());
            if (step == null) {
                return; // told twice
            }
            if (installed.failure().isEmpty()) {
                change(now -> now.at(step).done(1, step.bytes()));
            } else {
                failures.add(installed.expert() + ": " + installed.failure());
                change(now -> now.at(step));
            }
        });
        if (!failures.isEmpty() || !open.isEmpty()) {
            String what = failures.isEmpty() ? "no word of " + open.keySet() : String.join("; ", failures);
            throw new ClusterException(
                    what.contains(ErrorReason.WEIGHTS_CORRUPT.name())
                            ? ErrorReason.WEIGHTS_CORRUPT
                            : ErrorReason.WORKER_LOST,
                    "worker " + worker.id() + " could not install " + what);
        }
    }

    /// Asks all hosts once more before the word is given: a process may have been started again meanwhile, or another
    /// plan may have come to the host and freed what this one had installed.
    private void confirm(Command command, List<PlanStep.Install> installs) throws InterruptedException {
        var works = new ArrayList<Work>();
        byWorker(installs, PlanStep.Install::workerId)
                .forEach((workerId, wanted) -> works.add(() -> {
                    Hosting hosting = hosts.hosting(worker(workerId));
                    if (hosting.epoch() > command.epoch()
                            || (hosting.epoch() == command.epoch()
                                    && !hosting.planId().equals(command.planId()))) {
                        throw new ClusterException(
                                ErrorReason.STALE_PLAN,
                                "worker " + workerId + " has heard of a newer plan",
                                Map.of("planId", hosting.planId(), "epoch", Long.toString(hosting.epoch())));
                    }
                    for (PlanStep.Install install : wanted) {
                        if (!hosting.hot().contains(install.layer(), install.expert())) {
                            throw new ClusterException(
                                    ErrorReason.WORKER_LOST,
                                    "worker " + workerId + " has lost expert " + install.expert() + " of layer "
                                            + install.layer() + " again; it was started again meanwhile");
                        }
                    }
                }));
        fork.all(works);
    }

    private void activate(PlanStep.Activate activate) throws Superseded {
        change(now -> now.at(activate));
        Placement next = activate.placement(prepared.request(), Optional.of(published));
        if (!cluster.placements().publish(next, Optional.of(published))) {
            throw overtaken();
        }
        published = next;
        change(now -> now.activated(activate.epoch()));
    }

    private void drain(Command command, List<PlanStep.Drain> drains) throws InterruptedException {
        var works = new ArrayList<Work>();
        byWorker(drains, PlanStep.Drain::workerId)
                .forEach((workerId, wanted) -> works.add(() -> {
                    change(now -> now.at(wanted.getFirst()));
                    Optional<WorkerAnnouncement> worker = find(workerId);
                    List<Expert> experts = wanted.stream()
                            .map(drain -> new Expert(drain.layer(), drain.expert()))
                            .toList();
                    if (worker.isPresent() && !hosts.drain(worker.get(), command, experts, DRAIN_LONGEST)) {
                        throw new ClusterException(
                                ErrorReason.DEADLINE,
                                "worker " + workerId + " has not answered its old rows within "
                                        + DRAIN_LONGEST.toSeconds() + " s, so its experts stay in memory");
                    }
                    change(now -> now.done(wanted.size(), 0));
                }));
        fork.all(works);
    }

    private void evict(Command command, List<PlanStep.Evict> evicts) throws InterruptedException {
        var works = new ArrayList<Work>();
        byWorker(evicts, PlanStep.Evict::workerId)
                .forEach((workerId, wanted) -> works.add(() -> {
                    change(now -> now.at(wanted.getFirst()));
                    List<Eviction> evictions = wanted.stream()
                            .map(evict ->
                                    new Eviction(new Expert(evict.layer(), evict.expert()), evict.acknowledgedBy()))
                            .toList();
                    evict(command, workerId, evictions);
                    change(now -> now.done(wanted.size(), 0));
                }));
        fork.all(works);
    }

    /// A worker that is gone has nothing in memory any more.
    private void evict(Command command, String workerId, List<Eviction> evictions) {
        Optional<WorkerAnnouncement> worker = find(workerId);
        List<String> kept = worker.isEmpty() ? List.of() : hosts.evict(worker.get(), command, evictions);
        if (!kept.isEmpty()) {
            throw new ClusterException(
                    ErrorReason.WORKER_LOST, "worker " + workerId + " keeps " + String.join("; ", kept));
        }
    }

    /// Frees what an earlier plan left.
    private void free(String workerId, List<PreparedPlan.Leftover> leftovers) throws InterruptedException {
        Optional<WorkerAnnouncement> worker = find(workerId);
        if (worker.isEmpty()) {
            return;
        }
        var command = command(firstEpoch());
        List<Eviction> evictions =
                leftovers.stream().map(PreparedPlan.Leftover::eviction).toList();
        boolean isDrained = hosts.drain(
                worker.get(), command, evictions.stream().map(Eviction::expert).toList(), DRAIN_LONGEST);
        if (isDrained) {
            evict(command, workerId, evictions);
        }
    }

    private long firstEpoch() {
        return Wave.of(prepared.plan().steps()).getFirst().activate().epoch();
    }

    private void requireNotOvertaken() throws Superseded {
        if (cluster.livingRouters() * 2 <= routersExpected) {
            throw new ClusterException(
                    ErrorReason.WORKER_LOST,
                    "only " + cluster.livingRouters() + " of " + routersExpected
                            + " routers live, and a minority does not change placements");
        }
        Optional<Placement> current =
                cluster.placements().current(prepared.request().modelDigest());
        if (current.isEmpty() || !current.get().isSamePlan(published)) {
            throw overtaken();
        }
    }

    private Superseded overtaken() {
        String by = cluster.placements()
                .current(prepared.request().modelDigest())
                .map(placement -> "plan " + placement.planId() + " published epoch " + placement.epoch())
                .orElse("the placement has vanished");
        return new Superseded(by + " meanwhile; look at it and plan again");
    }

    private Command command(long epoch) {
        return new Command(
                prepared.request().modelDigest(), epoch, prepared.request().planId());
    }

    private Map<String, WorkerAnnouncement> living() {
        return cluster.directory().workers().stream()
                .collect(Collectors.toMap(WorkerAnnouncement::id, worker -> worker));
    }

    private Optional<WorkerAnnouncement> find(String workerId) {
        return Optional.ofNullable(living().get(workerId));
    }

    private WorkerAnnouncement worker(String workerId) {
        return find(workerId).orElseThrow(() -> lost(workerId));
    }

    private static ClusterException lost(String workerId) {
        return new ClusterException(ErrorReason.WORKER_LOST, "worker " + workerId + " was lost meanwhile");
    }

    private static String advice(ClusterException failed) {
        String newer = failed.metadata().containsKey("planId")
                ? " (plan " + failed.metadata().get("planId") + ", epoch "
                        + failed.metadata().get("epoch") + ")"
                : "";
        return failed.reason() + ": " + failed.text() + newer + "; everything activated so far stays; plan again";
    }

    private void change(UnaryOperator<Progress> step) {
        synchronized (this) {
            progress = step.apply(progress);
        }
        changes.happened();
    }

    private static <T> Map<String, List<T>> byWorker(List<T> steps, Function<T, String> workerId) {
        return steps.stream().collect(Collectors.groupingBy(workerId, TreeMap::new, Collectors.toList()));
    }
}
