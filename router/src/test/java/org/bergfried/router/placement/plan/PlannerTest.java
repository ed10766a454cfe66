package org.bergfried.router.placement.plan;

import static org.bergfried.router.placement.plan.Questions.EXPERT_BYTES;
import static org.bergfried.router.placement.plan.Questions.equal;
import static org.bergfried.router.placement.plan.Questions.layer;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.ExpertOnWorker;
import org.bergfried.contract.cluster.Placement;
import org.junit.jupiter.api.Test;

/// What holds of every plan, on random questions, and what single rules mean, on small ones.
final class PlannerTest {
    private static final long SEED = 20261125;
    private static final int ROUNDS = 200;

    @FunctionalInterface
    private interface Check {
        void of(PlanRequest request, SplittableRandom random, String what);
    }

    private static void onRandomQuestions(Check check) {
        for (int round = 0; round < ROUNDS; round++) {
            var random = new SplittableRandom(SEED + round);
            check.of(Questions.random(random), random, "seed " + (SEED + round));
        }
    }

    @Test
    void everyExpertIsPlacedAndTheStepsBreakNothing() {
        onRandomQuestions((request, random, what) -> {
            Plan first = Planner.plan(request);
            checkLimits(request, first, what);
            PlanRequest drifted = drifted(Questions.after(request, target(first)), random);
            checkLimits(drifted, Planner.plan(drifted), what + " after a drift");
        });
    }

    @Test
    void tightMemoryUnequalLayersAndLossesBreakNothing() {
        int[] planned = new int[1];
        for (long seed = 1; seed <= 400; seed++) {
            var random = new SplittableRandom(seed);
            PlanRequest request = Questions.tight(random);
            try {
                Plan first = Planner.plan(request);
                Replay.check(request, first, "seed " + seed);
                PlanRequest again = drifted(Questions.after(request, target(first)), random);
                if (random.nextBoolean()) {
                    int lost = random.nextInt(request.workers().size());
                    again = Questions.withWorkers(
                            again,
                            request.workers().stream()
                                    .filter(worker -> !worker.id().equals("w" + lost))
                                    .toList());
                }
                Replay.check(again, Planner.plan(again), "seed " + seed + " again");
                planned[0]++;
            } catch (ClusterException refused) {
                assertEquals(ErrorReason.EXPERT_UNPLACED, refused.reason(), "seed " + seed);
            }
        }
        assertTrue(planned[0] > 200, planned[0] + " planned");
    }

    @Test
    void pinsAndBansAreObeyedOrRefused() {
        int[] obeyed = new int[1];
        onRandomQuestions((request, random, what) -> {
            Placement before = target(Planner.plan(request));
            PlanRequest ruled = Questions.withRandomRules(Questions.after(request, before), 6, random);
            try {
                Plan plan = Planner.plan(ruled);
                checkLimits(ruled, plan, what);
                obeyed[0]++;
                Placement target = target(plan);
                if (plan.isComplete()) {
                    ruled.pins().forEach(pin -> assertTrue(isOn(target, pin), what + ": pin of " + pin));
                    ruled.bans().forEach(ban -> assertFalse(isOn(target, ban), what + ": ban of " + ban));
                }
            } catch (ClusterException refused) {
                assertEquals(ErrorReason.INVALID_REQUEST, refused.reason(), what);
            }
        });
        assertTrue(obeyed[0] > ROUNDS * 9 / 10, obeyed[0] + " of " + ROUNDS + " could be obeyed");
    }

    @Test
    void equalRequestsGetEqualPlans() {
        onRandomQuestions((request, random, what) -> {
            PlanRequest again = drifted(Questions.after(request, target(Planner.plan(request))), random);
            var shuffled = new ArrayList<>(again.workers());
            Collections.reverse(shuffled);
            Plan one = Planner.plan(again);
            Plan other = Planner.plan(Questions.withWorkers(again, shuffled));
            assertEquals(one.steps(), other.steps(), what);
            assertArrayEquals(one.balanceAfter(), other.balanceAfter(), what);
        });
    }

    @Test
    void nothingIsDoneWhenAllIsWell() {
        int[] quiet = new int[1];
        onRandomQuestions((request, random, what) -> {
            PlanRequest again = Questions.after(request, target(Planner.plan(request)));
            assertTrue(Planner.plan(again).isEmpty(), what);
            long[] noisy = Arrays.stream(again.load())
                    .map(rows -> rows * 1000 + random.nextInt(2))
                    .toArray();
            quiet[0] += Planner.plan(Questions.withLoad(again, noisy)).isEmpty() ? 1 : 0;
        });
        assertTrue(quiet[0] > ROUNDS * 95 / 100, "noise is left alone in " + quiet[0] + " of " + ROUNDS);
    }

    @Test
    void aLayerIsChangedOnlyIfItsFullestWorkerGainsEnough() {
        onRandomQuestions((request, random, what) -> {
            Plan plan = Planner.plan(drifted(Questions.after(request, target(Planner.plan(request))), random));
            for (int layer = 0; layer < plan.balanceAfter().length; layer++) {
                double before = plan.balanceBefore()[layer];
                double after = plan.balanceAfter()[layer];
                boolean isUntouched = after == before;
                assertTrue(
                        isUntouched || !plan.isComplete() || after * 0.999 > before,
                        what + ": " + before + " to " + after);
            }
        });
    }

    @Test
    void thePlanIsNeverWorseThanTheEvenPlacement() {
        onRandomQuestions((request, random, what) -> {
            List<String> ids =
                    request.workers().stream().map(PlanWorker::id).sorted().toList();
            Placement even = Placement.even("digest", 1, "even", ids, request.facts());
            double[] evenBalance = Planner.plan(Questions.after(request, even)).balanceBefore();
            double[] planned = Planner.plan(request).balanceAfter();
            for (int layer = 0; layer < planned.length; layer++) {
                assertTrue(planned[layer] >= evenBalance[layer] * (1 - 1e-9), what + ", layer " + layer);
            }
        });
    }

    @Test
    void aFasterWorkerNeverMakesAStepLonger() {
        onRandomQuestions((request, random, what) -> {
            Plan before = Planner.plan(request);
            List<PlanWorker> workers = new ArrayList<>(request.workers());
            int lucky = random.nextInt(workers.size());
            PlanWorker old = workers.get(lucky);
            workers.set(lucky, Questions.worker(old.id(), old.expertBytes(), old.rowsPerSecond() * 2));
            Plan after = Planner.plan(Questions.withWorkers(Questions.after(request, target(before)), workers));
            double[] longer = stepTimes(request, before.balanceAfter());
            double[] shorter = stepTimes(Questions.withWorkers(request, workers), after.balanceAfter());
            for (int layer = 0; layer < longer.length; layer++) {
                assertTrue(shorter[layer] <= longer[layer] * (1 + 1e-9), what + ", layer " + layer);
            }
        });
    }

    @Test
    void aFastWorkerGetsMoreOfTheLoad() {
        var workers = List.of(
                Questions.worker("fast", 8 * EXPERT_BYTES, 3000), Questions.worker("slow", 8 * EXPERT_BYTES, 1000));
        Placement target = target(Planner.plan(layer(workers, 100, 100, 100, 100, 100, 100, 100, 100)));
        long slowOnes = target.replicaTable().stream()
                .filter(replicas -> replicas.equals(List.of("slow")))
                .count();
        long shared = target.replicaTable().stream()
                .filter(replicas -> replicas.size() == 2)
                .count();
        assertEquals(2.0, slowOnes + shared / 2.0, "two of eight experts' rows on a worker of a quarter of the speed");
    }

    @Test
    void theHeaviestExpertIsReplicated() {
        Placement target = target(Planner.plan(layer(equal(4, 2, 1), 1000, 10, 10, 10, 10)));
        assertEquals(
                List.of("w0", "w1", "w2", "w3"),
                target.replicas(3, 0).stream().sorted().toList());
    }

    @Test
    void oneMoveIsEnoughWhereOneMoveIsNeeded() {
        PlanRequest request = layer(equal(2, 4, 1), 100, 100, 50, 50);
        var lopsided = new Placement(
                "digest",
                7,
                "old",
                request.facts(),
                List.of("w0", "w1"),
                List.of(List.of("w0"), List.of("w0"), List.of("w1"), List.of("w0")));
        Plan plan = Planner.plan(Questions.after(request, lopsided));
        assertEquals(EXPERT_BYTES, plan.bytesMoved());
        assertEquals(1.0, plan.meanAfter());
        assertEquals(0.6, plan.meanBefore());
        assertEquals(8, target(plan).epoch());
    }

    @Test
    void fullWorkersExchangeExpertsByWayOfAThird() {
        PlanRequest request = layer(
                List.of(
                        Questions.worker("w0", 2 * EXPERT_BYTES, 1000),
                        Questions.worker("w1", 2 * EXPERT_BYTES, 1000),
                        Questions.worker("w2", EXPERT_BYTES, 1)),
                100,
                100,
                1,
                1);
        var lopsided = new Placement(
                "digest",
                1,
                "old",
                request.facts(),
                List.of("w0", "w1"),
                List.of(List.of("w0"), List.of("w0"), List.of("w1"), List.of("w1")));
        Plan plan = Planner.plan(Questions.after(request, lopsided));
        Replay.check(Questions.after(request, lopsided), plan, "exchange");
        assertTrue(plan.isComplete());
        assertTrue(plan.meanAfter() > 1.9 * plan.meanBefore(), plan.meanBefore() + " to " + plan.meanAfter());
    }

    @Test
    void whereNobodyHasRoomThePlanSaysThatItIsNotComplete() {
        PlanRequest request = layer(equal(2, 2, 1), 100, 100, 1, 1);
        var lopsided = new Placement(
                "digest",
                1,
                "old",
                request.facts(),
                List.of("w0", "w1"),
                List.of(List.of("w0"), List.of("w0"), List.of("w1"), List.of("w1")));
        Plan plan = Planner.plan(Questions.after(request, lopsided));
        assertFalse(plan.isComplete());
        assertTrue(plan.isEmpty());
        assertArrayEquals(plan.balanceBefore(), plan.balanceAfter());
    }

    @Test
    void aLostWorkersExpertsAreInstalledElsewhereFirst() {
        PlanRequest request = layer(equal(2, 4, 1), 10, 10, 10, 10);
        var withLost = new Placement(
                "digest",
                1,
                "old",
                request.facts(),
                List.of("w0", "w1", "w9"),
                List.of(List.of("w0"), List.of("w1"), List.of("w9"), List.of("w0", "w9")));
        Plan plan = Planner.plan(Questions.after(request, withLost));
        Replay.check(Questions.after(request, withLost), plan, "lost");
        assertEquals(0.0, plan.meanBefore(), "an expert is unplaced");
        assertTrue(plan.steps().getFirst() instanceof PlanStep.Install install
                && install.expert() == 2
                && install.source().isEmpty());
        assertFalse(target(plan).workerIds().contains("w9"));
    }

    @Test
    void aDrainedWorkerGivesAllItsExpertsAway() {
        List<PlanWorker> workers = List.of(
                Questions.worker("w0", 0, 1000),
                Questions.worker("w1", 4 * EXPERT_BYTES, 1000),
                Questions.worker("w2", 4 * EXPERT_BYTES, 1000));
        PlanRequest request = layer(workers, 10, 10, 10, 10);
        var before = Placement.even("digest", 1, "even", List.of("w0", "w1", "w2"), request.facts());
        Plan plan = Planner.plan(Questions.after(request, before));
        Replay.check(Questions.after(request, before), plan, "drain");
        assertEquals(List.of("w1", "w2"), target(plan).workerIds());
        assertTrue(plan.steps().stream()
                .anyMatch(step ->
                        step instanceof PlanStep.Evict evict && evict.workerId().equals("w0")));
    }

    @Test
    void groupsOfExpertsStayOnOneNodeWhereTheyDivideEvenly() {
        var workers = new ArrayList<PlanWorker>();
        for (int worker = 0; worker < 8; worker++) {
            workers.add(new PlanWorker("w" + worker, 6 * EXPERT_BYTES, 1000, 1e9, "b1", "rack" + worker / 4));
        }
        var random = new SplittableRandom(SEED);
        long[] load = random.longs(32, 1, 100).toArray();
        PlanRequest flat = layer(workers, load);
        var grouped = new PlanRequest(
                "digest",
                "plan",
                flat.facts(),
                load,
                flat.expertBytes(),
                4,
                workers,
                Set.of(),
                Set.of(),
                flat.current(),
                flat.settings());
        Placement target = target(Planner.plan(grouped));
        for (int expert = 0; expert < 32; expert++) {
            List<Integer> racks = target.replicas(3, expert).stream()
                    .map(id -> (id.charAt(1) - '0') / 4)
                    .distinct()
                    .toList();
            int groupsRack = (target.replicas(3, expert / 8 * 8).getFirst().charAt(1) - '0') / 4;
            assertEquals(List.of(groupsRack), racks, "expert " + expert);
        }
    }

    private static void checkLimits(PlanRequest request, Plan plan, String what) {
        Replay.check(request, plan, what);
        Placement target = target(plan);
        target.replicaTable().forEach(replicas -> assertFalse(replicas.isEmpty(), what + ": unplaced"));
        for (PlanWorker worker : request.workers()) {
            long bytes = target.expertsOn(worker.id()).count() * EXPERT_BYTES;
            assertTrue(bytes <= worker.expertBytes(), what + ": " + worker + " gets " + bytes);
        }
    }

    /// Time of a step per layer, from the balance: what all workers together need, over the balance.
    private static double[] stepTimes(PlanRequest request, double[] balance) {
        double speed = request.workers().stream()
                .mapToDouble(PlanWorker::rowsPerSecond)
                .sum();
        double[] times = new double[balance.length];
        int experts = request.facts().expertsPerLayer();
        for (int layer = 0; layer < times.length; layer++) {
            double rows = Arrays.stream(request.load(), layer * experts, (layer + 1) * experts)
                    .sum();
            times[layer] = rows / speed / balance[layer];
        }
        return times;
    }

    private static PlanRequest drifted(PlanRequest request, SplittableRandom random) {
        long[] load = request.load();
        for (int i = 0; i < load.length / 4; i++) {
            load[random.nextInt(load.length)] *= 1 + random.nextInt(4);
        }
        return Questions.withLoad(request, load);
    }

    private static boolean isOn(Placement placement, ExpertOnWorker one) {
        return placement.replicas(one.layer(), one.expert()).contains(one.workerId());
    }

    private static Placement target(Plan plan) {
        return plan.target().orElseThrow();
    }
}
