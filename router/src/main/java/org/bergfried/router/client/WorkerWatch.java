package org.bergfried.router.client;

import io.grpc.Channel;
import io.grpc.StatusRuntimeException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.cluster.Directory;
import org.bergfried.contract.cluster.PlacementFacts;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.contract.cluster.WorkerAnnouncement.Role;
import org.bergfried.contract.cluster.WorkerAnnouncement.State;
import org.bergfried.proto.engine.v1.EngineServiceGrpc;
import org.bergfried.proto.engine.v1.GetExpertLoadRequest;
import org.bergfried.proto.engine.v1.GetExpertLoadResponse;
import org.bergfried.proto.engine.v1.GetLoadRequest;
import org.bergfried.proto.engine.v1.GetLoadResponse;
import org.bergfried.router.placement.live.Changes;
import org.bergfried.router.placement.live.HomeState;
import org.bergfried.router.placement.live.Hosting;
import org.bergfried.router.placement.live.Hosts;
import org.bergfried.router.placement.live.LoadWindows;
import org.bergfried.router.placement.live.WorkerReport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Asks every worker once a second how busy it is, what it hosts and how many rows its trunk sent to each expert.
public final class WorkerWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WorkerWatch.class);
    private static final long INTERVAL_MILLIS = 1_000;
    private static final long ASK_MILLIS = 2_000;

    private final Directory directory;
    private final EngineChannels channels;
    private final Hosts hosts;
    private final Clock clock;
    private final Changes looks = new Changes();
    private final Map<String, WorkerReport> reports = new ConcurrentHashMap<>();
    private final Map<String, LoadWindows> loads = new ConcurrentHashMap<>(); // by model digest
    private final Runnable looked;
    private final Semaphore closed = new Semaphore(0);
    private final Thread thread;

    /// Starts to ask.
    ///
    /// @param looked is called after each round of questions; it must not block.
    public WorkerWatch(Directory directory, EngineChannels channels, Hosts hosts, Clock clock, Runnable looked) {
        this.looked = looked;
        this.directory = directory;
        this.channels = channels;
        this.hosts = hosts;
        this.clock = clock;
        this.thread = Thread.ofVirtual().name("worker-watch").start(this::run);
    }

    /// What a worker said last; empty if it has not answered yet.
    public Optional<WorkerReport> report(String workerId) {
        return Optional.ofNullable(reports.get(workerId));
    }

    /// The load of a model's experts; empty if nothing is known yet.
    public Optional<LoadWindows> load(String modelDigest) {
        return Optional.ofNullable(loads.get(modelDigest));
    }

    /// Counts the rounds of questions.
    public Changes looks() {
        return looks;
    }

    @Override
    public void close() {
        closed.release();
        thread.interrupt();
    }

    private void run() {
        try {
            do {
                lookGuarded();
            } while (!closed.tryAcquire(INTERVAL_MILLIS, TimeUnit.MILLISECONDS));
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    /// A round that fails must not be the last one.
    private void lookGuarded() throws InterruptedException {
        try {
            look();
        } catch (RuntimeException failed) {
            LOG.error("Asking the workers failed; trying again", failed);
        }
    }

    private void look() throws InterruptedException {
        List<WorkerAnnouncement> workers = directory.workers().stream()
                .filter(worker -> worker.state() == State.READY || worker.state() == State.DRAINING)
                .toList();
        var done = new CountDownLatch(workers.size());
        Set<String> ids = new HashSet<>();
        for (WorkerAnnouncement worker : workers) {
            ids.add(worker.id());
            Thread.ofVirtual().name("ask-" + worker.id()).start(() -> {
                try {
                    ask(worker);
                } finally {
                    done.countDown();
                }
            });
        }
        done.await();
        reports.keySet().retainAll(ids);
        long now = clock.nanoTime();
        loads.values().forEach(load -> load.tick(now));
        looked.run();
        looks.happened();
    }

    private void ask(WorkerAnnouncement worker) {
        Optional<WorkerReport> last =
                report(worker.id()).filter(report -> report.startNumber() == worker.startNumber());
        Optional<HomeState> lastHome = last.flatMap(WorkerReport::home);
        Optional<Hosting> lastHosting = last.flatMap(WorkerReport::hosting);
        Optional<HomeState> home = worker.roles().contains(Role.TRUNK) ? ask(worker, this::home) : Optional.empty();
        Optional<Hosting> hosting =
                worker.roles().contains(Role.EXPERT) ? ask(worker, hosts::hosting) : Optional.empty();
        boolean isAnswering = home.isPresent() || hosting.isPresent();
        reports.put(
                worker.id(),
                new WorkerReport(
                        worker.id(),
                        worker.startNumber(),
                        isAnswering,
                        home.isPresent() ? home : lastHome,
                        hosting.isPresent() ? hosting : lastHosting));
    }

    /// One worker's answer that cannot be used must not end the watch.
    private static <T> Optional<T> ask(WorkerAnnouncement worker, Function<WorkerAnnouncement, T> question) {
        try {
            return Optional.of(question.apply(worker));
        } catch (StatusRuntimeException | ClusterException unreachable) {
            LOG.debug("Worker {} did not answer", worker.id(), unreachable);
        } catch (RuntimeException failed) {
            LOG.error("Asking worker {} failed; trying again", worker.id(), failed);
        }
        return Optional.empty();
    }

    private HomeState home(WorkerAnnouncement worker) {
        Channel channel = channels.to(worker);
        GetLoadResponse load = EngineServiceGrpc.newBlockingStub(channel)
                .withDeadlineAfter(ASK_MILLIS, TimeUnit.MILLISECONDS)
                .getLoad(GetLoadRequest.getDefaultInstance());
        if (worker.facts().expertCount() > 0) {
            count(
                    worker,
                    EngineServiceGrpc.newBlockingStub(channel)
                            .withDeadlineAfter(ASK_MILLIS, TimeUnit.MILLISECONDS)
                            .getExpertLoad(GetExpertLoadRequest.getDefaultInstance()));
        }
        return new HomeState(
                load.getQueued(),
                load.getRunning(),
                load.getPagesTotal(),
                load.getPagesFree(),
                load.getPlacementEpoch());
    }

    private void count(WorkerAnnouncement worker, GetExpertLoadResponse load) {
        PlacementFacts facts = worker.facts();
        long[] rows = new long[facts.expertCount()];
        for (GetExpertLoadResponse.ExpertLoadLayer layer : load.getLayersList()) {
            int first = facts.cell(layer.getLayer(), 0);
            for (int expert = 0; expert < Math.min(layer.getRowsCount(), facts.expertsPerLayer()); expert++) {
                rows[first + expert] = layer.getRows(expert);
            }
        }
        loads.computeIfAbsent(worker.modelDigest(), digest -> new LoadWindows(rows.length))
                .count(worker.id(), load.getStartNumber(), rows);
    }
}
