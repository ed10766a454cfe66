package org.bergfried.ops.bench;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.Consumer;
import org.bergfried.contract.Clock;
import org.bergfried.worker.model.ModelDescription;
import org.bergfried.worker.tool.SpeedRun;

/// Opens what an order wants measured, the engine first; closes the last one first.
final class Subjects implements AutoCloseable {
    private static final int PEER_PROMPT_SLACK = 8;

    private final Benchmark.Order order;
    private final ModelDescription model;
    private final int threads;
    private final Clock clock;
    private final Consumer<String> progress;
    private final Deque<Subject> open = new ArrayDeque<>();

    Subjects(Benchmark.Order order, ModelDescription model, int threads, Clock clock, Consumer<String> progress) {
        this.order = order;
        this.model = model;
        this.threads = threads;
        this.clock = clock;
        this.progress = progress;
    }

    /// What is measured.
    Subject engine() {
        if (order.workers() > 0) {
            return cluster(order.workers());
        }
        Subject engine = inProcess(order.backend());
        return order.rival() instanceof Rival.Undisturbed ? new BusySubject(engine) : engine;
    }

    /// What it is compared with.
    ///
    /// @param engine what [#engine] gave.
    Optional<Subject> rival(Subject engine) {
        return switch (order.rival()) {
            case Rival.Nobody() -> Optional.empty();
            case Rival.Peer peer -> Optional.of(llamaCpp(peer));
            case Rival.Backend(String name) -> Optional.of(inProcess(name));
            case Rival.Undisturbed() -> Optional.of(engineOf(engine));
            case Rival.OneWorker() -> Optional.of(cluster(1));
        };
    }

    private Subject engineOf(Subject busy) {
        return busy instanceof BusySubject disturbed ? disturbed.undisturbed() : busy;
    }

    private Subject inProcess(String backend) {
        progress.accept("loading " + order.model() + ", backend " + backend + " ...");
        var wishes = order.wishes();
        var run = new SpeedRun(order.model(), backend, threads, wishes.positions(), wishes.streamsMax(), clock);
        return keep(new EngineSubject(run, backend));
    }

    private Subject llamaCpp(Rival.Peer peer) {
        progress.accept("loading it with llama.cpp ...");
        var wishes = order.wishes();
        int positions = wishes.positions() + PEER_PROMPT_SLACK;
        return keep(
                new LlamaCpp(peer.script(), peer.modules(), order.model(), threads, positions, wishes.streamsMax()));
    }

    private Subject cluster(int workers) {
        String name = workers == 1 ? "1 worker" : workers + " workers";
        progress.accept("starting " + name + " and a router ...");
        var form = new Clusters.Form(order.model(), workers, order.pinned());
        return keep(
                new ClusterSubject(order.clusters(), form, name, model.spec().vocabularySize(), clock));
    }

    private synchronized Subject keep(Subject subject) {
        open.push(subject);
        return subject;
    }

    /// Ends the processes among what is open; the rest ends with this one.
    synchronized void endProcesses() {
        open.forEach(Subject::endProcesses);
    }

    @Override
    public synchronized void close() {
        while (!open.isEmpty()) {
            open.pop().close();
        }
    }
}
