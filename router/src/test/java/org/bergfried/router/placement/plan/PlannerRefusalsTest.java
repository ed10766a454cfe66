package org.bergfried.router.placement.plan;

import static org.bergfried.router.placement.plan.Questions.EXPERT_BYTES;
import static org.bergfried.router.placement.plan.Questions.equal;
import static org.bergfried.router.placement.plan.Questions.layer;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.ExpertOnWorker;
import org.bergfried.contract.cluster.PlacementFacts;
import org.junit.jupiter.api.Test;

/// What the planner refuses or leaves out, and how it says so.
final class PlannerRefusalsTest {
    @Test
    void workersOfAnotherArithmeticAreLeftOut() {
        List<PlanWorker> workers = new ArrayList<>(equal(2, 4, 1));
        workers.add(new PlanWorker("w2", 4 * EXPERT_BYTES, 1500, 1e9, "b1-other", ""));
        PlanRequest request = layer(workers, 10, 10, 10, 10);
        assertEquals(
                List.of("w0", "w1"),
                Planner.plan(request).target().orElseThrow().workerIds());
        var pin = new ExpertOnWorker(3, 0, "w2");
        var refused = assertThrows(
                ClusterException.class, () -> Planner.plan(Questions.withRules(request, Set.of(pin), Set.of())));
        assertEquals(
                "the pin of expert 0 of layer 3 on worker w2 is impossible: the worker computes in b1-other, the "
                        + "placement in b1; unpin it",
                refused.text());
    }

    @Test
    void impossiblePinsAreNamed() {
        PlanRequest request = layer(equal(2, 2, 1), 10, 10, 10);
        var nowhere = new ExpertOnWorker(3, 1, "w7");
        assertTrue(refusal(request, Set.of(nowhere), Set.of()).contains(nowhere + " is impossible: there is no such"));
        var banned = new ExpertOnWorker(3, 1, "w1");
        assertTrue(refusal(request, Set.of(banned), Set.of(banned)).contains(banned + " is impossible: it is banned"));
        Set<ExpertOnWorker> three =
                Set.of(new ExpertOnWorker(3, 0, "w0"), new ExpertOnWorker(3, 1, "w0"), new ExpertOnWorker(3, 2, "w0"));
        assertEquals(
                "the pin of expert 2 of layer 3 on worker w0 is impossible: all pins of the worker need more than its "
                        + "2000 bytes for experts; unpin it",
                refusal(request, three, Set.of()));
        assertEquals(
                "expert 0 of layer 3 finds no worker: pins and bans leave no room for it; lift one of them",
                refusal(request, Set.of(), Set.of(new ExpertOnWorker(3, 0, "w0"), new ExpertOnWorker(3, 0, "w1"))));
    }

    @Test
    void tooLittleMemoryIsRefusedWithTheNumbers() {
        var refused = assertThrows(ClusterException.class, () -> Planner.plan(layer(equal(2, 1, 1), 10, 10, 10)));
        assertEquals(ErrorReason.EXPERT_UNPLACED, refused.reason());
        assertEquals(
                "the workers have room for 2 experts of layer 3; the model has 3; add workers or give them more memory",
                refused.text());
    }

    @Test
    void aDenseModelNeedsNoPlan() {
        var request = new PlanRequest(
                "digest",
                "plan",
                PlacementFacts.of(new int[0], 0),
                new long[0],
                new long[0],
                1,
                equal(1, 1, 1),
                Set.of(),
                Set.of(),
                Optional.empty(),
                PlanSettings.defaults());
        assertTrue(Planner.plan(request).isEmpty());
    }

    private static String refusal(PlanRequest request, Set<ExpertOnWorker> pins, Set<ExpertOnWorker> bans) {
        var refused =
                assertThrows(ClusterException.class, () -> Planner.plan(Questions.withRules(request, pins, bans)));
        assertEquals(ErrorReason.INVALID_REQUEST, refused.reason());
        return refused.text();
    }
}
