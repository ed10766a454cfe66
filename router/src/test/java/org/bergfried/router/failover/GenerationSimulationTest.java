package org.bergfried.router.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bergfried.contract.cluster.TokenIds;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Runs generations through seeded faults in simulated time: whatever happens to homes, messages, the store and
/// the router itself, the client gets exactly the tokens of an undisturbed run.
final class GenerationSimulationTest {
    private static final long SECOND = 1_000_000_000L;

    @Test
    void deliversTheTokensOfAnUndisturbedRunUnderEveryFaultPlan() {
        int retried = 0;
        int routersLost = 0;
        for (long seed = 0; seed < 500; seed++) {
            var world = new World(seed);
            world.run();
            assertEquals(world.cluster.undisturbed(), world.client, "seed " + seed);
            assertTrue(world.finished, "seed " + seed + " did not finish");
            retried += world.attemptMax > 1 ? 1 : 0;
            routersLost += world.routersLost;
        }
        assertTrue(retried > 250, "the plans must disturb most runs, and only " + retried + " had a second attempt");
        assertTrue(routersLost > 100, "the plans must lose routers, and only " + routersLost + " were lost");
    }

    @Test
    void neverLogsWhatWasNotProducedAndKeepsTheLogClose() {
        for (long seed = 0; seed < 100; seed++) {
            var world = new World(seed);
            world.run();
            assertTrue(world.logLagMax <= 17, "seed " + seed + ": the log lagged by " + world.logLagMax + " tokens");
            for (int position = 0; position < world.log.size(); position++) {
                assertEquals(world.cluster.tokenAt(position), world.log.get(position), "seed " + seed);
            }
        }
    }

    /// One generation, its client, its store and, one after the other, its routers.
    private static final class World {
        final SimulatedCluster cluster;
        final List<Integer> client = new ArrayList<>();
        final List<Integer> log = new ArrayList<>();
        private final Map<Integer, SimulatedCluster.SimulatedAttempt> attempts = new HashMap<>();
        private @Nullable GenerationCourse course;
        private int incarnation;
        private int deliveredNow;
        private int producedNow;
        private int logAttempt;
        private boolean isStored;
        private long wakeAt = Long.MAX_VALUE;
        int attemptMax;
        int routersLost;
        int logLagMax;
        boolean finished;

        World(long seed) {
            cluster = new SimulatedCluster(seed, 20 + (int) (seed % 180));
        }

        void run() {
            cluster.planDeaths(cluster.random.nextInt(8), 8_000, () -> feed(incarnation, new Signal.HomesChanged()));
            course = GenerationCourse.fresh(cluster.generation(), CourseLimits.DEFAULT, Long.MAX_VALUE, cluster);
            cluster.after(50, () -> feed(incarnation, new Signal.Admitted()));
            if (cluster.random.nextInt(3) > 0) {
                cluster.at(cluster.random.nextLong(2 * SECOND), this::loseRouter);
            }
            while (!finished && cluster.runNext(180 * SECOND)) {
                armTimer();
            }
        }

        /// The router dies; another one reads the store and resumes, if the record was stored.
        private void loseRouter() {
            if (!isStored || finished) {
                return;
            }
            routersLost++;
            incarnation++;
            deliveredNow = 0;
            producedNow = log.size();
            attempts.clear();
            int[] known = log.stream().mapToInt(Integer::intValue).toArray();
            course = GenerationCourse.resumed(
                    cluster.generation(),
                    CourseLimits.DEFAULT,
                    Long.MAX_VALUE,
                    cluster,
                    logAttempt,
                    TokenIds.of(known));
            feed(incarnation, new Signal.Admitted());
        }

        private void feed(int from, Signal signal) {
            if (from != incarnation || course == null) {
                return;
            }
            if (signal instanceof Signal.Token token && token.position() == producedNow) {
                producedNow++;
            }
            for (Move move : course.on(signal, cluster.now)) {
                carryOut(move);
            }
            logLagMax = isStored ? Math.max(logLagMax, deliveredNow - log.size()) : logLagMax;
            armTimer();
        }

        private void armTimer() {
            if (course == null) {
                return;
            }
            long wake = course.wakeAtNanos(cluster.now);
            if (wake != wakeAt && wake != Long.MAX_VALUE) {
                int armed = incarnation;
                cluster.at(wake, () -> feed(armed, new Signal.Timer()));
            }
            wakeAt = wake;
        }

        private void carryOut(Move move) {
            int now = incarnation;
            switch (move) {
                case Move.Store() -> store(now);
                case Move.Open open -> {
                    attemptMax = Math.max(attemptMax, open.attempt());
                    attempts.put(open.attempt(), cluster.open(open, signal -> feed(now, signal)));
                }
                case Move.Close(int attempt) -> {
                    var closed = attempts.get(attempt);
                    if (closed != null) {
                        closed.cancel();
                    }
                }
                case Move.Log(int attempt, int from, TokenIds ids) -> log(attempt, from, ids);
                case Move.Start(boolean resumable) -> isStored |= resumable;
                case Move.Deliver(int position, int id) -> deliver(position, id);
                case Move.Finish(var end) -> finished = true;
                case Move.Fail(var error) -> throw new AssertionError("failed: " + error.text());
            }
        }

        private void store(int from) {
            switch (cluster.random.nextInt(4)) {
                case 0 -> cluster.after(3_000, () -> feed(from, new Signal.Stored()));
                case 1 -> cluster.after(300, () -> feed(from, new Signal.StoreFailed()));
                default -> cluster.after(20, () -> feed(from, new Signal.Stored()));
            }
        }

        private void log(int attempt, int from, TokenIds ids) {
            assertTrue(from <= log.size() || !isStored, "a gap in the log at " + from);
            logAttempt = Math.max(logAttempt, attempt);
            for (int i = 0; i < ids.size(); i++) {
                if (from + i == log.size()) {
                    log.add(ids.get(i));
                }
            }
        }

        private void deliver(int position, int id) {
            assertEquals(deliveredNow, position, "positions must follow each other");
            deliveredNow++;
            if (position == client.size()) {
                client.add(id); // the client drops what it has seen before the router was lost
            } else {
                assertEquals(client.get(position), id, "a replay must repeat the same tokens");
            }
        }
    }
}
