package org.bergfried.worker.hosting;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.junit.jupiter.api.Test;

final class PlanFenceTest {
    private final PlanFence fence = new PlanFence();

    @Test
    void aLowerEpochAndAnEqualOneOfAnotherPlanAreRefusedByNames() {
        fence.admit(new PlanEpoch(5, "ours"));
        fence.admit(new PlanEpoch(5, "ours"));
        for (PlanEpoch late : new PlanEpoch[] {new PlanEpoch(4, "ours"), new PlanEpoch(5, "theirs")}) {
            var refusal = assertThrows(ClusterException.class, () -> fence.admit(late));
            assertEquals(ErrorReason.STALE_PLAN, refusal.reason());
            assertTrue(refusal.text().contains(late.toString()), refusal.text());
            assertTrue(refusal.text().contains("epoch 5 of plan ours"), refusal.text());
            assertEquals("5", refusal.metadata().get("epoch"));
            assertEquals("ours", refusal.metadata().get("planId"));
        }
        fence.admit(new PlanEpoch(6, "theirs"));
        assertEquals(Optional.of(new PlanEpoch(6, "theirs")), fence.highest());
    }

    @Test
    void aPublishedPlacementWinsAgainstCommandsOfItsEpochAndNeverGoesBack() {
        fence.admit(new PlanEpoch(5, "lost"));
        fence.saw(new PlanEpoch(5, "won"));
        assertThrows(ClusterException.class, () -> fence.admit(new PlanEpoch(5, "lost")));
        fence.admit(new PlanEpoch(5, "won"));
        fence.saw(new PlanEpoch(3, "old"));
        assertEquals(Optional.of(new PlanEpoch(5, "won")), fence.highest());
    }

    @Test
    void nothingIsDoneForACommandThatWasReplaced() {
        var first = new PlanEpoch(5, "a");
        fence.admit(first);
        assertEquals(Optional.of("done"), fence.ifStill(first, () -> "done"));
        fence.admit(new PlanEpoch(6, "a"));
        assertEquals(Optional.empty(), fence.ifStill(first, () -> "done"));
    }
}
