package org.bergfried.router.failover;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.GenerationRecord;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One running generation: a mailbox, and a virtual thread that feeds what arrives to the
/// {@link GenerationCourse} and carries out its moves.
public final class Generation implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(Generation.class);

    private static final long NONE = Long.MIN_VALUE;

    private final GenerationRecord generation;
    private final GenerationCourse course;
    private final Workplace workplace;
    private final long originNanos;
    private final long deadlineNanos;
    private final BlockingQueue<Runnable> mailbox = new LinkedBlockingQueue<>();
    private final Delivered delivered = new Delivered();

    private final List<String> homes = new ArrayList<>(); // of all attempts
    private GenerationListener listener;
    private @Nullable RunningAttempt running;
    private boolean hasOpened;
    private long tokenNanos = NONE; // when the last token that is not a known one was delivered
    private boolean stopFound;
    private boolean closed; // written under the mailbox's lock by the generation's thread: nothing is taken any more

    private record RunningAttempt(int number, WorkerAnnouncement home, AttemptCalls.Attempt call) {}

    Generation(
            GenerationRecord generation,
            GenerationCourse course,
            Workplace workplace,
            long originNanos,
            long deadlineNanos,
            GenerationListener listener) {
        this.generation = generation;
        this.course = course;
        this.workplace = workplace;
        this.originNanos = originNanos;
        this.deadlineNanos = deadlineNanos;
        this.listener = listener;
    }

    /// The record.
    public GenerationRecord generation() {
        return generation;
    }

    /// Ends the generation because nobody wants it any more; it can still be resumed. The listener is told.
    public void cancel(ErrorReason reason, String why) {
        signal(new Signal.Cancelled(reason, why));
    }

    /// Gives the generation another client, which hears everything from position 0; the old one is told.
    ///
    /// @return whether it came in time; false when the generation is over.
    boolean attach(GenerationListener next) {
        var attached = new CompletableFuture<Boolean>();
        return post(() -> attach(next, attached)) && attached.join();
    }

    /// Whoever waits is told in any case.
    private void attach(GenerationListener next, CompletableFuture<Boolean> attached) {
        try {
            attached.complete(replaceListener(next));
        } catch (RuntimeException bug) {
            attached.completeExceptionally(bug);
            throw bug;
        }
    }

    void signal(Signal signal) {
        post(() -> feed(signal));
    }

    private boolean post(Runnable task) {
        synchronized (mailbox) {
            return !closed && mailbox.add(task);
        }
    }

    @Override
    public void run() {
        try {
            while (!course.isOver()) {
                awaitTask().run();
            }
        } catch (InterruptedException interrupted) {
            feed(new Signal.Cancelled(ErrorReason.DRAINING, "the router ended while the generation ran"));
        } catch (RuntimeException bug) {
            LOG.error("Generation {} ends because of a bug", generation.generationId(), bug);
            listener.failed(new ClusterException(ErrorReason.INTERNAL, "internal error; the router's log says more"));
        } finally {
            close();
        }
    }

    private Runnable awaitTask() throws InterruptedException {
        long now = now();
        long wake = course.wakeAtNanos(now);
        Runnable task =
                wake == Long.MAX_VALUE ? mailbox.take() : mailbox.poll(Math.max(0, wake - now), TimeUnit.NANOSECONDS);
        return task != null ? task : () -> feed(new Signal.Timer());
    }

    private void close() {
        synchronized (mailbox) {
            closed = true;
        }
        if (running != null) {
            running.call().cancel(); // does nothing if it has ended
        }
        releaseAttempt();
        workplace.over(this);
        for (Runnable task = mailbox.poll(); task != null; task = mailbox.poll()) {
            task.run(); // late signals do nothing, a late client learns that it is late
        }
    }

    private boolean replaceListener(GenerationListener next) {
        if (closed || course.isOver()) {
            return false;
        }
        listener.failed(new ClusterException(
                ErrorReason.CANCELLED, "generation " + generation.generationId() + " was resumed by another call"));
        listener = next;
        delivered.replay(next);
        return true;
    }

    private void feed(Signal signal) {
        List<Move> moves = course.on(signal, now());
        stopFound = false;
        moves.forEach(this::carryOut);
        if (stopFound && course.isOver()) {
            finish(AnswerEnd.STOP_STRING);
        } else if (stopFound) {
            feed(new Signal.StopFound());
        }
    }

    private void carryOut(Move move) {
        switch (move) {
            case Move.Store() -> store();
            case Move.Open(var home, int attempt, var known) -> {
                if (!stopFound) {
                    open(new Move.Open(home, attempt, known));
                }
            }
            case Move.Close(int attempt) -> cancelAttempt(attempt);
            case Move.Log(int attempt, int from, var ids) ->
                workplace.store().append(generation.generationId(), attempt, from, ids);
            case Move.Start(boolean resumable) -> {
                workplace.meters().started(resumable);
                delivered.start(resumable);
                listener.started(resumable);
            }
            case Move.Deliver(int position, int id) -> deliver(position, id);
            case Move.Finish(AnswerEnd end) -> {
                if (!stopFound) {
                    finish(end);
                }
            }
            case Move.Fail(ClusterException error) -> {
                if (!stopFound) {
                    fail(error);
                }
            }
        }
    }

    private void store() {
        var _ = workplace.store().put(generation).whenComplete((done, failure) -> {
            signal(failure == null ? new Signal.Stored() : new Signal.StoreFailed());
        });
    }

    private void open(Move.Open open) {
        releaseAttempt();
        workplace.meters().attemptOpened(open.attempt());
        if (hasOpened) {
            workplace.meters().replayed(course.troubleReason());
        }
        hasOpened = true;
        workplace.loads().begin(open.home().id());
        homes.add(open.home().id());
        long remaining = deadlineNanos == Long.MAX_VALUE ? 0 : Math.max(1, (deadlineNanos - now()) / 1_000_000);
        var call = workplace
                .calls()
                .open(open.home(), generation, open.attempt(), open.known(), remaining, new Ears(open.attempt()));
        running = new RunningAttempt(open.attempt(), open.home(), call);
    }

    private void cancelAttempt(int attempt) {
        if (running != null && running.number() == attempt) {
            running.call().cancel();
            releaseAttempt();
        }
    }

    private void releaseAttempt() {
        if (running != null) {
            workplace.loads().end(running.home().id());
            running = null;
        }
    }

    private void deliver(int position, int id) {
        if (stopFound) {
            return;
        }
        delivered.add(position, id);
        workplace.meters().token();
        measure(position);
        stopFound = !listener.token(position, id);
    }

    private void measure(int position) {
        if (position < course.knownCount()) {
            return;
        }
        long now = now();
        if (position == 0) {
            workplace.meters().firstToken(now);
        } else if (tokenNanos != NONE) {
            workplace.meters().nextToken(now - tokenNanos);
        }
        tokenNanos = now;
    }

    private void finish(AnswerEnd end) {
        String reason = listener.finished(end, List.copyOf(homes));
        storeEnd(reason);
        workplace.meters().ended(reason);
    }

    private void fail(ClusterException error) {
        workplace.meters().ended(error.reason().name());
        storeEnd(error.reason().name());
        listener.failed(error);
    }

    private void storeEnd(String reason) {
        if (course.mayBeStored()) {
            workplace.store().finish(generation.generationId(), reason);
        }
    }

    private long now() {
        return workplace.clock().nanoTime() - originNanos;
    }

    /// Hears one attempt and puts what it hears into the mailbox.
    private final class Ears implements AttemptCalls.Listener {
        private final int opened;

        Ears(int opened) {
            this.opened = opened;
        }

        @Override
        public void token(int attempt, int position, int id) {
            signal(new Signal.Token(attempt, position, id));
        }

        @Override
        public void ended(int attempt, AnswerEnd end, int tokenCount) {
            signal(new Signal.Ended(attempt, end, tokenCount));
        }

        @Override
        public void broken(ClusterException error) {
            signal(new Signal.Broken(opened, error.reason(), error.text()));
        }
    }
}
