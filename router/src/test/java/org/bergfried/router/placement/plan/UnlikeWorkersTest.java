package org.bergfried.router.placement.plan;

import static org.bergfried.router.placement.plan.Questions.EXPERT_BYTES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.ExpertOnWorker;
import org.bergfried.contract.cluster.PlacementFacts;
import org.junit.jupiter.api.Test;

/// Workers of different speed or memory, and experts that take no memory of their own.
final class UnlikeWorkersTest {
    private static final int LAYERS = 6;
    private static final int EXPERTS = 64;

    @Test
    void fastWorkersGetTheirShareOfTheRows() {
        assertTrue(balanceOfSpeeds(3) > 0.97, "one in two is three times as fast: " + balanceOfSpeeds(3));
        assertTrue(balanceOfSpeeds(1.6) > 0.97, "and a little faster: " + balanceOfSpeeds(1.6));
    }

    @Test
    void workersOfLittleMemoryDoNotHoldTheOthersUp() {
        List<PlanWorker> workers = IntStream.range(0, 16)
                .mapToObj(worker ->
                        Questions.worker("w" + worker, (worker % 2 == 0 ? 3L : 8L) * LAYERS * EXPERT_BYTES, 1000))
                .toList();
        double balance = Planner.plan(skewed(workers)).meanAfter();
        assertTrue(balance > 0.97, "balance " + balance);
    }

    @Test
    void mappedExpertsMoveForNothingAndFitEverywhere() {
        PlanRequest first = mapped(Questions.equal(3, 0, 1), Set.of());
        var hosts = List.of(
                Questions.worker("w0", 1, 1000), Questions.worker("w1", 1, 1000), Questions.worker("w2", 0, 1000));
        PlanRequest request = mapped(hosts, Set.of());
        assertThrows(ClusterException.class, () -> Planner.plan(first), "nobody has memory");
        Plan plan = Planner.plan(request);
        assertEquals(0, plan.bytesMoved());
        assertEquals(0, plan.secondsMoving());
        assertEquals(1, plan.meanAfter(), 1e-9);
        assertEquals(List.of("w0", "w1"), plan.target().orElseThrow().workerIds(), "w2 is being drained");
    }

    @Test
    void mappedExpertsLeaveADrainedWorker() {
        var all = List.of(
                Questions.worker("w0", 1, 1000), Questions.worker("w1", 1, 1000), Questions.worker("w2", 1, 1000));
        var placed = Planner.plan(mapped(all, Set.of())).target().orElseThrow();
        assertTrue(placed.expertsOn("w2").count() > 0);
        var drained = List.of(all.get(0), all.get(1), Questions.worker("w2", 0, 1000));
        Plan plan = Planner.plan(Questions.after(mapped(drained, Set.of()), placed));
        assertEquals(List.of("w0", "w1"), plan.target().orElseThrow().workerIds());
        assertTrue(plan.isComplete());
        var pin = new ExpertOnWorker(3, 0, "w2");
        var refused = assertThrows(ClusterException.class, () -> Planner.plan(mapped(drained, Set.of(pin))));
        assertEquals(ErrorReason.INVALID_REQUEST, refused.reason());
        assertTrue(refused.text().contains(pin + " is impossible"), refused.text());
    }

    private static double balanceOfSpeeds(double fast) {
        List<PlanWorker> workers = IntStream.range(0, 16)
                .mapToObj(worker -> {
                    double speed = worker % 2 == 0 ? 1000 : 1000 * fast;
                    return Questions.worker("w" + worker, 5L * LAYERS * EXPERT_BYTES, speed);
                })
                .toList();
        return Planner.plan(skewed(workers)).meanAfter();
    }

    private static PlanRequest skewed(List<PlanWorker> workers) {
        long[] bytes = new long[LAYERS];
        Arrays.fill(bytes, EXPERT_BYTES);
        PlacementFacts facts = PlacementFacts.of(IntStream.range(0, LAYERS).toArray(), EXPERTS);
        long[] load = new SplittableRandom(11)
                .doubles(facts.expertCount())
                .mapToLong(draw -> (long) (1000 * StrictMath.pow(1 - draw, -0.6)))
                .toArray();
        return Questions.request(facts, load, bytes, workers, Set.of());
    }

    private static PlanRequest mapped(List<PlanWorker> workers, Set<ExpertOnWorker> pins) {
        PlacementFacts facts = PlacementFacts.of(new int[] {3}, 6);
        return Questions.request(facts, new long[] {60, 60, 60, 60, 60, 60}, new long[1], workers, pins);
    }
}
