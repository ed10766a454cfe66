package org.bergfried.router.placement;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.contract.cluster.WorkerAnnouncement.State;
import org.bergfried.router.TestWorkers;
import org.junit.jupiter.api.Test;

final class FirstPlacementTest {
    private static final long SECOND = 1_000_000_000L;
    private static final WorkerAnnouncement A = TestWorkers.ready("a");
    private static final WorkerAnnouncement B = TestWorkers.ready("b");

    private final FirstPlacement decisions = new FirstPlacement("digest", 2);

    @Test
    void publishesTheFirstEpochWhenTheExpectedWorkersAreReady() {
        assertTrue(decisions.decide(List.of(A), Optional.empty(), 0).isEmpty());
        Placement first =
                decisions.decide(List.of(B, A), Optional.empty(), SECOND).orElseThrow();
        assertEquals(1, first.epoch());
        assertEquals(List.of("a", "b"), first.workerIds());
        assertEquals(List.of("b"), first.replicas(1, 0), "expert e of layer l goes to index (e + l) mod n");
        assertEquals(List.of("a"), first.replicas(1, 1));
    }

    @Test
    void waitsTenSecondsForTheExpectedWorkersAndNotLonger() {
        assertTrue(decisions.decide(List.of(A), Optional.empty(), 5 * SECOND).isEmpty());
        assertEquals(15 * SECOND, decisions.wakeAtNanos(Optional.empty(), 5 * SECOND));
        assertTrue(
                decisions.decide(List.of(A), Optional.empty(), 15 * SECOND - 1).isEmpty());
        assertEquals(
                List.of("a"),
                decisions
                        .decide(List.of(A), Optional.empty(), 15 * SECOND)
                        .orElseThrow()
                        .workerIds());
    }

    @Test
    void ignoresWorkersThatAreNotReadyOrHaveAnotherModel() {
        var foreign = TestWorkers.at("c", 1, "127.0.0.1:1", "other");
        var loading = B.with(State.LOADING);
        assertTrue(decisions
                .decide(List.of(loading, foreign), Optional.empty(), 100 * SECOND)
                .isEmpty());
        assertEquals(Long.MAX_VALUE, decisions.wakeAtNanos(Optional.empty(), 100 * SECOND));
    }

    @Test
    void publishesTheNextEpochAfterASecondOfQuiet() {
        var first = decisions.decide(List.of(A, B), Optional.empty(), 0);
        assertTrue(decisions.decide(List.of(A, B), first, 50 * SECOND).isEmpty());
        assertTrue(decisions.decide(List.of(A), first, 60 * SECOND).isEmpty(), "b has just left");
        assertEquals(61 * SECOND, decisions.wakeAtNanos(first, 60 * SECOND));
        Placement second = decisions.decide(List.of(A), first, 61 * SECOND).orElseThrow();
        assertEquals(2, second.epoch());
        assertEquals(List.of("a"), second.workerIds());
    }

    @Test
    void doesNothingWhenAWorkerIsBackWithinTheQuietSecond() {
        var first = decisions.decide(List.of(A, B), Optional.empty(), 0);
        assertTrue(decisions.decide(List.of(A), first, 10 * SECOND).isEmpty());
        assertTrue(
                decisions.decide(List.of(A, B), first, 10 * SECOND + SECOND / 2).isEmpty());
        assertTrue(decisions.decide(List.of(A, B), first, 20 * SECOND).isEmpty());
        assertEquals(Long.MAX_VALUE, decisions.wakeAtNanos(first, 20 * SECOND));
    }

    @Test
    void leavesAPlacementOfAnotherMakerAlone() {
        var theirs = Optional.of(Placement.even("digest", 7, "operator-7", List.of("a"), TestWorkers.FACTS));
        assertTrue(decisions.decide(List.of(A, B), theirs, 0).isEmpty());
        assertTrue(decisions.decide(List.of(A, B), theirs, 100 * SECOND).isEmpty());
        assertEquals(Long.MAX_VALUE, decisions.wakeAtNanos(theirs, 100 * SECOND));
    }

    @Test
    void twoRoutersDecideTheSamePlan() {
        var other = new FirstPlacement("digest", 2);
        assertEquals(
                decisions.decide(List.of(A, B), Optional.empty(), 0),
                other.decide(List.of(B, A), Optional.empty(), 5 * SECOND));
    }
}
