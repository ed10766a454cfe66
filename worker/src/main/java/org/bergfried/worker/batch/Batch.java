package org.bergfried.worker.batch;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.NavigableSet;
import java.util.Queue;
import java.util.TreeSet;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.sample.Sampler;
import org.bergfried.worker.trunk.Step;
import org.bergfried.worker.trunk.StepRunner;
import org.jspecify.annotations.Nullable;

/// The sequences of an engine and the step that they make together. A sequence waits, has its prompt computed in
/// chunks, decodes, and ends; it holds pages from its admission on. Where pages run out, the youngest gives all of
/// its
/// own back and is computed anew later: exact, because no bit depends on chunks or neighbours. Pauses of slow readers
/// come first, since they need no pages.
///
/// [#submit], [#drain] and [#load] are for any thread, everything else for one.
final class Batch {
    private final StepRunner runner;
    private final Pages pages;
    private final BatchLimits limits;
    private final Clock clock;
    private final Sampler sampler;

    private final Object gate = new Object();
    private final Queue<Sequence> arrivals = new ArrayDeque<>(); // guarded by gate
    private int queued; // guarded by gate: not yet admitted, in arrivals or waiting
    private long arrivalCount; // guarded by gate
    private boolean draining; // guarded by gate

    private final NavigableSet<Sequence> waiting = new TreeSet<>(Comparator.comparingLong(Sequence::arrival));
    private final NavigableSet<Sequence> running = new TreeSet<>(Comparator.comparingLong(Sequence::arrival));
    private final List<Sequence> chosen = new ArrayList<>();
    private final List<Step.Slice> slices = new ArrayList<>();
    private long steps;
    private long rows;
    private long tokensDrawn;
    private long preemptions;
    private volatile BatchLoad load;

    Batch(StepRunner runner, Pages pages, BatchLimits limits, Clock clock) {
        if (limits.sequencesMax() > runner.rowsMax()) {
            throw new IllegalArgumentException("sequencesMax = " + limits.sequencesMax()
                    + " must be at most the rows of a step, " + runner.rowsMax());
        }
        this.runner = runner;
        this.pages = pages;
        this.limits = limits;
        this.clock = clock;
        sampler = new Sampler(runner.vocabularySize());
        load = snapshot();
    }

    /// Takes a sequence into the queue.
    ///
    /// @param onRoom called when its full outbox has room again.
    Sequence submit(SequenceRequest request, Runnable onRoom) {
        int prompt = request.promptIds().length;
        if (prompt >= limits.contextPositions()) {
            throw new ClusterException(
                    ErrorReason.CONTEXT_TOO_LONG,
                    "the prompt has " + prompt + " tokens; the context of " + limits.contextPositions()
                            + " must also hold at least 1 token of the answer: shorten the prompt");
        }
        synchronized (gate) {
            if (draining) {
                throw new ClusterException(ErrorReason.DRAINING, "this worker is shutting down and takes nothing new");
            }
            if (queued >= limits.queueMax()) {
                throw new ClusterException(
                        ErrorReason.QUEUE_FULL,
                        queued + " sequences wait already; the limit is " + limits.queueMax() + ": try again later");
            }
            var outbox = new Outbox(limits.outboxTokens(), onRoom);
            var sequence = new Sequence(request, pages.open(), outbox, ++arrivalCount, limits);
            queued++;
            arrivals.add(sequence);
            return sequence;
        }
    }

    /// Takes nothing new from now on; what has not begun fails at the next turn.
    void drain() {
        synchronized (gate) {
            draining = true;
        }
    }

    /// One turn of the loop: ends what must end, admits, and runs a step. False if there was nothing to run.
    boolean turn() {
        boolean drained = takeArrivals();
        long now = clock.nanoTime();
        sweep(waiting, now, drained);
        sweep(running, now, false);
        admit();
        plan();
        boolean runs = !chosen.isEmpty();
        if (runs) {
            step();
        }
        load = snapshot();
        return runs;
    }

    boolean isEmpty() {
        synchronized (gate) {
            return arrivals.isEmpty() && waiting.isEmpty() && running.isEmpty();
        }
    }

    /// Ends everything.
    void failAll(ClusterException error) {
        drain();
        takeArrivals();
        for (NavigableSet<Sequence> group : List.of(waiting, running)) {
            while (!group.isEmpty()) {
                end(group.pollFirst(), new Outbox.End.Failed(error, true));
            }
        }
        load = snapshot();
    }

    BatchLoad load() {
        return load;
    }

    private boolean takeArrivals() {
        synchronized (gate) {
            waiting.addAll(arrivals);
            arrivals.clear();
            return draining;
        }
    }

    private void sweep(NavigableSet<Sequence> group, long now, boolean drained) {
        for (Iterator<Sequence> all = group.iterator(); all.hasNext(); ) {
            Sequence sequence = all.next();
            sequence.watchReader(now);
            Outbox.End end = verdict(sequence, now, drained);
            if (end != null) {
                all.remove();
                end(sequence, end);
            }
        }
    }

    private Outbox.@Nullable End verdict(Sequence sequence, long now, boolean drained) {
        ClusterException error = sequence.verdict(now, limits.stalledMax().toNanos());
        if (error == null && drained && !sequence.admitted()) {
            error = new ClusterException(
                    ErrorReason.DRAINING,
                    "this worker is shutting down; sequence "
                            + sequence.request().id() + " had not begun");
        }
        return error != null ? new Outbox.End.Failed(error, true) : sequence.ended();
    }

    private void admit() {
        for (Sequence next = firstReady(); next != null; next = firstReady()) {
            boolean first = !next.admitted();
            if (running.size() >= limits.sequencesMax() || !next.admit()) {
                Sequence victim = youngestStalled();
                if (victim != null) {
                    preempt(victim);
                    continue;
                }
                if (running.isEmpty()) {
                    waiting.remove(next);
                    end(next, new Outbox.End.Failed(doesNotFit(next), false));
                    continue;
                }
                return;
            }
            waiting.remove(next);
            running.add(next);
            if (first) {
                leaveQueue();
            }
        }
    }

    private @Nullable Sequence firstReady() {
        for (Sequence sequence : waiting) {
            if (!sequence.stalled()) {
                return sequence;
            }
        }
        return null;
    }

    private void leaveQueue() {
        synchronized (gate) {
            queued--;
        }
    }

    /// Fills `chosen` with the sequences of the next step, their rows granted and their pages reserved.
    private void plan() {
        chosen.clear();
        for (Sequence sequence : running) {
            if (!sequence.stalled()) {
                chosen.add(sequence);
            }
        }
        StepPlanner.plan(chosen, runner.rowsMax());
        chosen.sort(Comparator.comparingLong(Sequence::arrival));
        chosen.forEach(this::reserve);
        chosen.removeIf(sequence -> sequence.granted() == 0);
    }

    private void reserve(Sequence sequence) {
        while (sequence.granted() > 0 && !sequence.reserveGranted()) {
            if (running.size() == 1) {
                running.remove(sequence);
                sequence.grant(0);
                end(sequence, new Outbox.End.Failed(doesNotFit(sequence), false));
                return;
            }
            Sequence stalled = youngestStalled();
            preempt(stalled != null ? stalled : running.last());
        }
    }

    private @Nullable Sequence youngestStalled() {
        for (Sequence sequence : running.descendingSet()) {
            if (sequence.stalled()) {
                return sequence;
            }
        }
        return null;
    }

    private void preempt(Sequence victim) {
        running.remove(victim);
        victim.preempt();
        waiting.add(victim);
        preemptions++;
    }

    private void step() {
        slices.clear();
        chosen.forEach(sequence -> slices.add(sequence.slice()));
        Step step = new Step(++steps, slices);
        rows += step.rows();
        StepRunner.Outcome outcome;
        try {
            outcome = runner.run(step);
        } catch (ClusterException error) {
            chosen.forEach(sequence -> fail(sequence, error));
            return;
        }
        int logitsRow = 0;
        for (int i = 0; i < chosen.size(); i++) {
            Step.Slice slice = slices.get(i);
            int logitsRows = switch (slice.logits()) {
                case NONE -> 0;
                case LAST -> 1;
                case ALL -> slice.count();
            };
            take(chosen.get(i), slice, outcome, i, logitsRow, logitsRows);
            logitsRow += logitsRows;
        }
    }

    private void take(
            Sequence sequence, Step.Slice slice, StepRunner.Outcome outcome, int index, int row, int rowCount) {
        if (outcome.nonFinite()[index]) {
            fail(sequence, nonFinite(sequence));
            return;
        }
        sequence.advance(steps);
        if (slice.logits() == Step.Logits.ALL) {
            show(sequence, slice, outcome.logits(), row);
        }
        if (sequence.pending() == 0) {
            draw(sequence, outcome.logits(), row + rowCount - 1);
        }
    }

    private void show(Sequence sequence, Step.Slice slice, MemorySegment logits, int row) {
        LogitsSink sink = sequence.request().logits();
        int count = Math.min(slice.count(), sequence.request().promptIds().length - slice.from());
        long rowBytes = (long) runner.vocabularySize() * Float.BYTES;
        if (sink != null) {
            sink.accept(slice.from(), count, logits.asSlice(row * rowBytes, count * rowBytes));
        }
    }

    private void draw(Sequence sequence, MemorySegment logits, int row) {
        int id = sampler.draw(
                logits, (long) row * runner.vocabularySize(), sequence.request().sampling(), sequence.answerCount());
        if (id < 0) {
            fail(sequence, nonFinite(sequence));
            return;
        }
        sequence.append(id);
        tokensDrawn++;
        Outbox.End end = sequence.ended();
        if (end != null) {
            running.remove(sequence);
            end(sequence, end);
        }
    }

    private void fail(Sequence sequence, ClusterException error) {
        running.remove(sequence);
        end(sequence, new Outbox.End.Failed(error, false));
    }

    private void end(@Nullable Sequence sequence, Outbox.End how) {
        if (sequence == null) {
            return;
        }
        sequence.memory().close();
        if (!sequence.admitted()) {
            leaveQueue();
        }
        sequence.outbox().end(how);
    }

    private BatchLoad snapshot() {
        int waits;
        synchronized (gate) {
            waits = queued;
        }
        int preempted = 0;
        for (Sequence sequence : waiting) {
            preempted += sequence.admitted() ? 1 : 0;
        }
        return new BatchLoad(
                waits,
                running.size() + preempted,
                pages.total(),
                pages.free(),
                steps,
                rows,
                tokensDrawn,
                preemptions,
                clock.nanoTime());
    }

    private ClusterException doesNotFit(Sequence sequence) {
        return new ClusterException(
                ErrorReason.CONTEXT_TOO_LONG,
                "sequence " + sequence.request().id() + " with " + sequence.tokenCount()
                        + " tokens does not fit the cache of " + pages.total()
                        + " pages, even alone: shorten the prompt or give the worker a larger cache");
    }

    private static ClusterException nonFinite(Sequence sequence) {
        return new ClusterException(
                ErrorReason.NONFINITE_OUTPUT,
                "the model produced NaN, infinity or a term of 2^24 or more for sequence "
                        + sequence.request().id() + " at token " + sequence.answerCount());
    }
}
