package org.bergfried.router.failover;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.ExpertSet;
import org.bergfried.contract.cluster.GenerationRecord;
import org.bergfried.contract.cluster.PlacementFacts;
import org.bergfried.contract.cluster.TokenIds;
import org.bergfried.contract.cluster.WorkerAnnouncement;

/// A cluster of homes that die, come back, go on talking when they are given up, repeat themselves and skip
/// positions, in simulated time and according to a seed.
final class SimulatedCluster implements HomeSource {
    static final int STOP_ID = 1;
    private static final long MILLI = 1_000_000;
    private static final PlacementFacts FACTS = new PlacementFacts(List.of(), 0);

    private record Event(long atNanos, long order, Runnable what) {}

    final SplittableRandom random;
    private final long seed;
    private final int maxTokens;
    private final PriorityQueue<Event> events = new PriorityQueue<>(
            java.util.Comparator.comparingLong(Event::atNanos).thenComparingLong(Event::order));
    private final long[] startNumbers = {1, 1, 1};
    private final boolean[] alive = {true, true, true};
    private final boolean[] listed = {true, true, true};
    private final List<SimulatedAttempt> attempts = new ArrayList<>();
    private long order;
    long now;

    SimulatedCluster(long seed, int maxTokens) {
        this.seed = seed;
        this.random = new SplittableRandom(seed);
        this.maxTokens = maxTokens;
    }

    /// The token that follows from (request, seed, position), whichever home computes it.
    int tokenAt(int position) {
        int draw = new SplittableRandom(seed * 31 + position).nextInt(200);
        return draw == 0 ? STOP_ID : draw + 10;
    }

    List<Integer> undisturbed() {
        var ids = new ArrayList<Integer>();
        while (ids.size() < maxTokens && (ids.isEmpty() || ids.getLast() != STOP_ID)) {
            ids.add(tokenAt(ids.size()));
        }
        return ids;
    }

    GenerationRecord generation() {
        return new GenerationRecord(
                "0123456789abcdef0123456789abcdef",
                "local",
                "digest",
                "b1-f32-d",
                TokenIds.of(5, 6, 7),
                new GenerationRecord.Sampling(1, 1, 0, 0, seed),
                TokenIds.of(STOP_ID),
                List.of(),
                maxTokens,
                true,
                false,
                false,
                0);
    }

    void after(long millisMax, Runnable what) {
        events.add(new Event(now + random.nextLong(millisMax * MILLI + 1), order++, what));
    }

    void at(long nanos, Runnable what) {
        events.add(new Event(Math.max(now, nanos), order++, what));
    }

    /// Runs the next event; false when there is none or time is up.
    boolean runNext(long untilNanos) {
        Event next = events.poll();
        if (next == null || next.atNanos() > untilNanos) {
            return false;
        }
        now = Math.max(now, next.atNanos());
        next.what().run();
        return true;
    }

    @Override
    public boolean lists(WorkerAnnouncement home) {
        int worker = home.id().charAt(1) - '0';
        return listed[worker] && startNumbers[worker] == home.startNumber();
    }

    @Override
    public Optional<WorkerAnnouncement> next(Predicate<WorkerAnnouncement> allowed) {
        var candidates = new ArrayList<WorkerAnnouncement>();
        for (int worker = 0; worker < alive.length; worker++) {
            if (listed[worker] && allowed.test(announcement(worker))) {
                candidates.add(announcement(worker));
            }
        }
        return candidates.isEmpty() ? Optional.empty() : Optional.of(candidates.get(random.nextInt(candidates.size())));
    }

    /// Lets homes die and come back until the given time.
    void planDeaths(int count, long untilMillis, Runnable homesChanged) {
        for (int i = 0; i < count; i++) {
            int worker = random.nextInt(alive.length);
            long death = random.nextLong(untilMillis) * MILLI;
            at(death, () -> kill(worker));
            at(death + random.nextLong(1_900) * MILLI, () -> {
                listed[worker] = alive[worker];
                homesChanged.run();
            });
            at(death + (2_000 + random.nextLong(3_000)) * MILLI, () -> {
                startNumbers[worker]++;
                alive[worker] = true;
                listed[worker] = true;
                homesChanged.run();
            });
        }
    }

    SimulatedAttempt open(Move.Open open, java.util.function.Consumer<Signal> heard) {
        int worker = open.home().id().charAt(1) - '0';
        var attempt = new SimulatedAttempt(
                worker, startNumbers[worker], open.attempt(), open.known().size(), heard);
        attempts.add(attempt);
        if (alive[worker]) {
            after(30, attempt::speak);
        } else {
            after(20, attempt::breakOff);
        }
        return attempt;
    }

    private void kill(int worker) {
        alive[worker] = false;
        attempts.stream().filter(attempt -> attempt.worker == worker).forEach(attempt -> {
            attempt.isZombie = random.nextInt(2) == 0;
            if (random.nextInt(4) > 0) { // a frozen home never breaks off
                after(3_000, attempt::breakOff);
            }
        });
    }

    private WorkerAnnouncement announcement(int worker) {
        return new WorkerAnnouncement(
                "w" + worker,
                startNumbers[worker],
                "host" + worker + ":9091",
                "host" + worker + ":8081",
                Set.of(WorkerAnnouncement.Role.TRUNK),
                "demo",
                "digest",
                "b1-f32-d",
                "scalar",
                WorkerAnnouncement.State.READY,
                0,
                FACTS,
                ExpertSet.none(FACTS),
                0);
    }

    /// One attempt at one process of a home.
    final class SimulatedAttempt {
        private final int worker;
        private final long startNumber;
        private final int number;
        private final java.util.function.Consumer<Signal> heard;
        private final int first;
        private int position;
        private boolean isZombie;
        private boolean isOver;
        private boolean hasSkipped;

        SimulatedAttempt(
                int worker, long startNumber, int number, int position, java.util.function.Consumer<Signal> heard) {
            this.worker = worker;
            this.startNumber = startNumber;
            this.number = number;
            this.first = position;
            this.position = position;
            this.heard = heard;
        }

        /// The router gave it up; a zombie does not listen.
        void cancel() {
            isOver = !isZombie;
        }

        void speak() {
            boolean lives = alive[worker] && startNumbers[worker] == startNumber;
            if (isOver || (!lives && !isZombie)) {
                return;
            }
            boolean stopped = position > 0 && tokenAt(position - 1) == STOP_ID;
            boolean complete = stopped || position >= maxTokens;
            if (complete) {
                isOver = true;
                heard.accept(new Signal.Ended(number, stopped ? AnswerEnd.STOP_ID : AnswerEnd.LENGTH, position));
                return;
            }
            int fault = random.nextInt(60);
            var token = new Signal.Token(number, position, tokenAt(position));
            if (fault == 0 && position > first && !hasSkipped) {
                hasSkipped = true; // a position is never sent
            } else {
                heard.accept(token);
            }
            if (fault == 1) {
                heard.accept(token);
            }
            if (fault == 2) {
                after(500, () -> heard.accept(token));
            }
            position++;
            after(40, this::speak);
        }

        void breakOff() {
            if (isOver && !isZombie) {
                return;
            }
            isOver = !isZombie;
            ErrorReason reason = random.nextBoolean() ? ErrorReason.WORKER_LOST : ErrorReason.DRAINING;
            heard.accept(new Signal.Broken(number, reason, "lost"));
        }
    }
}
