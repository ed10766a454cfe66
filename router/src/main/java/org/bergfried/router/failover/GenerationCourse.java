package org.bergfried.router.failover;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.GenerationRecord;
import org.bergfried.contract.cluster.TokenIds;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.jspecify.annotations.Nullable;

/// The course of one generation: what happens to it goes in as a {@link Signal}, what is to be done comes out as
/// {@link Move}s. Only events of the current attempt at the next position count; a lost home is followed by the
/// next one, which knows the tokens so far. Times are nanoseconds since the generation's start and are passed in,
/// so that a simulation can run it.
final class GenerationCourse {
    private enum Phase {
        QUEUED,
        SEEKING,
        RUNNING,
        COMPLETE,
        OVER
    }

    private enum Stored {
        PENDING,
        YES,
        NO
    }

    /// An attempt that lasted so long was at work, perhaps on a long prompt: the patience for homes starts anew.
    private static final long TAKEN_NANOS = 5_000_000_000L;

    private static final long SILENCE_NANOS = 3_000_000_000L;

    private final GenerationRecord generation;
    private final Set<Integer> stopIds;
    private final CourseLimits limits;
    private final long deadline;
    private final HomeSource homes;
    private final TokenTrail trail;
    private final int knownCount;
    private final HomePenalties penalties = new HomePenalties();

    private Phase phase = Phase.QUEUED;
    private Stored stored;
    private boolean started;
    private int attempt;
    private @Nullable WorkerAnnouncement home;
    private @Nullable AnswerEnd end;
    private long storeSince = Long.MAX_VALUE;
    private boolean isListed = true;
    private long openedSince;
    private long heardSince;
    private long strandedSince = Long.MAX_VALUE;
    private int fruitlessCount;
    private int doubtfulCount;
    private String trouble = "no worker that serves the model is ready";
    private ErrorReason troubleReason = ErrorReason.WORKER_LOST;
    private List<Move> moves = new ArrayList<>();

    /// A generation that starts now.
    ///
    /// @param deadline when the caller gives up; Long.MAX_VALUE for never.
    static GenerationCourse fresh(GenerationRecord generation, CourseLimits limits, long deadline, HomeSource homes) {
        return new GenerationCourse(generation, limits, deadline, homes, 0, TokenIds.empty(), Stored.PENDING);
    }

    /// A generation that was read from the store.
    ///
    /// @param attempt the highest attempt that is known.
    /// @param known the token log.
    static GenerationCourse resumed(
            GenerationRecord generation,
            CourseLimits limits,
            long deadline,
            HomeSource homes,
            int attempt,
            TokenIds known) {
        return new GenerationCourse(generation, limits, deadline, homes, attempt, known, Stored.YES);
    }

    private GenerationCourse(
            GenerationRecord generation,
            CourseLimits limits,
            long deadline,
            HomeSource homes,
            int attempt,
            TokenIds known,
            Stored stored) {
        this.generation = generation;
        this.stopIds = IntStream.of(generation.stopIds().toArray()).boxed().collect(Collectors.toUnmodifiableSet());
        this.limits = limits;
        this.deadline = deadline;
        this.homes = homes;
        this.attempt = attempt;
        this.trail = new TokenTrail(known);
        this.knownCount = known.size();
        this.stored = stored;
    }

    /// Takes a signal and answers what is to be done.
    List<Move> on(Signal signal, long now) {
        moves = new ArrayList<>();
        if (phase != Phase.OVER) {
            apply(signal, now);
            settle(now);
        }
        return moves;
    }

    /// How many tokens were known before the first attempt.
    int knownCount() {
        return knownCount;
    }

    /// What ended the last attempt that failed.
    ErrorReason troubleReason() {
        return troubleReason;
    }

    /// Whether nothing more will come.
    boolean isOver() {
        return phase == Phase.OVER;
    }

    /// Whether the store may have the generation: it has been asked to take it, or gave it.
    boolean mayBeStored() {
        return stored == Stored.YES || storeSince != Long.MAX_VALUE;
    }

    /// When a {@link Signal.Timer} is due; Long.MAX_VALUE for never.
    long wakeAtNanos(long now) {
        if (phase == Phase.OVER) {
            return Long.MAX_VALUE;
        }
        long wake = deadline;
        if (stored == Stored.PENDING && storeSince != Long.MAX_VALUE) {
            wake = Math.min(wake, storeSince + limits.storeWait().toNanos());
        }
        if (trail.unloggedSince() != Long.MAX_VALUE && stored != Stored.NO) {
            wake = Math.min(wake, trail.unloggedSince() + limits.logDelay().toNanos());
        }
        if (phase == Phase.RUNNING && !isListed) {
            wake = Math.min(wake, Math.max(heardSince + SILENCE_NANOS, now + SILENCE_NANOS / 4));
        }
        if (phase == Phase.SEEKING) {
            wake = Math.min(wake, strandedSince + limits.homeWait().toNanos());
            wake = Math.min(wake, penalties.nextEndNanos(now));
        }
        return wake;
    }

    private void apply(Signal signal, long now) {
        switch (signal) {
            case Signal.Admitted() -> admit(now);
            case Signal.Stored() -> stored = Stored.YES;
            case Signal.StoreFailed() -> stored = Stored.NO;
            case Signal.Token token -> take(token, now);
            case Signal.Ended ended -> complete(ended, now);
            case Signal.Broken broken -> lose(broken, now);
            case Signal.StopFound() -> {
                close();
                complete(AnswerEnd.STOP_STRING);
            }
            case Signal.Cancelled(ErrorReason reason, String why) -> fail(reason, why);
            case Signal.HomesChanged() -> isListed = home == null || homes.lists(home);
            case Signal.Timer() -> {}
        }
    }

    private void admit(long now) {
        if (phase != Phase.QUEUED) {
            return;
        }
        seek(now);
        if (stored == Stored.YES) {
            deliver(now); // a stop string in what is known makes another attempt needless
        }
        settleHome(now);
        if (stored == Stored.PENDING) {
            storeSince = now;
            moves.add(new Move.Store());
        }
    }

    private void take(Signal.Token token, long now) {
        if (!isCurrent(token.attempt()) || token.position() < trail.size()) {
            return;
        }
        if (token.position() > trail.size() || whyComplete() != null) {
            String fault = "the home sent position " + token.position() + " where " + trail.size() + " of at most "
                    + generation.maxTokens() + " was due";
            close();
            lose(new Signal.Broken(attempt, ErrorReason.INTERNAL, fault), now);
            return;
        }
        trail.add(token.id(), now);
        heardSince = now;
        fruitlessCount = 0;
        doubtfulCount = 0;
        strandedSince = Long.MAX_VALUE;
        if (home != null) {
            penalties.forgive(home);
        }
    }

    private void complete(Signal.Ended ended, long now) {
        if (!isCurrent(ended.attempt())) {
            return;
        }
        if (ended.tokenCount() == trail.size()) {
            complete(ended.end());
            return;
        }
        String fault = "the home counts " + ended.tokenCount() + " tokens, and " + trail.size() + " arrived";
        lose(new Signal.Broken(attempt, ErrorReason.INTERNAL, fault), now);
    }

    private void complete(AnswerEnd why) {
        phase = Phase.COMPLETE;
        end = why;
    }

    private void lose(Signal.Broken broken, long now) {
        if (!isCurrent(broken.attempt()) || home == null) {
            return;
        }
        penalties.add(home, now);
        fruitlessCount++;
        trouble = broken.message();
        troubleReason = broken.reason();
        RetryRule rule = RetryRule.of(broken.reason());
        doubtfulCount += rule == RetryRule.FEW_HOMES ? 1 : 0;
        boolean ends = rule == RetryRule.END
                || fruitlessCount >= limits.attemptsMax()
                || doubtfulCount >= limits.doubtfulMax();
        if (ends) {
            phase = Phase.SEEKING; // the call has ended by itself: nothing is left to close
            fail(troubleReason, trouble);
        } else {
            seek(now);
        }
    }

    private void seek(long now) {
        phase = Phase.SEEKING;
        boolean wasTaken = home != null && now - openedSince >= TAKEN_NANOS;
        strandedSince = wasTaken ? now : Math.min(strandedSince, now);
    }

    private void settle(long now) {
        if (phase != Phase.OVER && now >= deadline) {
            fail(
                    ErrorReason.DEADLINE,
                    "the deadline of generation " + generation.generationId() + " passed after " + trail.size()
                            + " tokens; ask for fewer tokens or allow more time");
        }
        leaveSilentHome(now);
        settleHome(now);
        if (phase == Phase.OVER || phase == Phase.QUEUED) {
            return;
        }
        deliver(now);
        keepLog(now);
    }

    /// A frozen home keeps its connection open: it is given up when it is silent, the cluster has taken it off the
    /// list, and another home is ready.
    private void leaveSilentHome(long now) {
        boolean isSilent = phase == Phase.RUNNING && !isListed && now - heardSince >= SILENCE_NANOS;
        if (isSilent
                && homes.next(candidate -> penalties.allows(candidate, now)).isPresent()) {
            close();
            lose(new Signal.Broken(attempt, ErrorReason.WORKER_LOST, "the home left the cluster and is silent"), now);
        }
    }

    private void settleHome(long now) {
        if (phase != Phase.SEEKING) {
            return;
        }
        AnswerEnd known = whyComplete();
        if (known != null) {
            complete(known);
            return;
        }
        var next = homes.next(candidate -> penalties.allows(candidate, now));
        if (next.isPresent()) {
            attempt++;
            home = next.get();
            openedSince = now;
            heardSince = now;
            isListed = true;
            phase = Phase.RUNNING;
            moves.add(new Move.Open(next.get(), attempt, trail.all()));
        } else if (now - strandedSince >= limits.homeWait().toNanos()) {
            fail(
                    troubleReason,
                    "no home took the generation within " + limits.homeWait().toSeconds() + " s; the last trouble: "
                            + trouble);
        }
    }

    private void deliver(long now) {
        if (!started && isStoreSettled(now)) {
            started = true;
            moves.add(new Move.Start(stored == Stored.YES));
        }
        while (started && trail.hasUndelivered() && end != AnswerEnd.STOP_STRING) {
            moves.add(trail.deliverNext());
        }
        if (started && phase == Phase.COMPLETE && end != null) {
            logRest();
            moves.add(new Move.Finish(end));
            phase = Phase.OVER;
        }
    }

    private boolean isStoreSettled(long now) {
        boolean waits = stored == Stored.PENDING
                && now - storeSince < limits.storeWait().toNanos();
        return !waits;
    }

    private void keepLog(long now) {
        boolean isLate = trail.unloggedCount() > 0
                && now - trail.unloggedSince() >= limits.logDelay().toNanos();
        if (isLate || trail.unloggedCount() >= limits.logTokens()) {
            logRest();
        }
    }

    private void logRest() {
        if (trail.unloggedCount() > 0 && stored != Stored.NO) {
            moves.add(trail.logRest(attempt));
        }
    }

    private void fail(ErrorReason reason, String message) {
        close();
        if (phase != Phase.QUEUED) {
            logRest();
        }
        moves.add(new Move.Fail(new ClusterException(reason, message)));
        phase = Phase.OVER;
    }

    private void close() {
        if (phase == Phase.RUNNING) {
            moves.add(new Move.Close(attempt));
        }
    }

    private boolean isCurrent(int eventAttempt) {
        return phase == Phase.RUNNING && eventAttempt == attempt;
    }

    private @Nullable AnswerEnd whyComplete() {
        if (trail.size() > 0 && stopIds.contains(trail.last())) {
            return AnswerEnd.STOP_ID;
        }
        return trail.size() >= generation.maxTokens() ? AnswerEnd.LENGTH : null;
    }
}
