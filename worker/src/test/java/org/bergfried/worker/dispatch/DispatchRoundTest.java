package org.bergfried.worker.dispatch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.cluster.PlacementFacts;
import org.bergfried.contract.tensor.ResultFrame.Outcome;
import org.junit.jupiter.api.Test;

final class DispatchRoundTest {
    private static final int EXPERTS = 8;
    private static final PlacementFacts FACTS = new PlacementFacts(List.of(3), EXPERTS);
    private static final DispatchSettings SETTINGS = DispatchSettings.defaults();
    private static final long TIMEOUT = Duration.ofSeconds(5).toNanos();

    @Test
    void eachRowGoesOnceToEachWorkerThatHostsOneOfItsExperts() {
        var hosts = new FakeHosts("a", "b");
        var round = round(hosts, even("a", "b"));
        round.begin(3, 4, new int[] {0, 2, 4, 1, 5, 3, 1, 7}, 0);
        // Layer 3: even experts live on b, odd ones on a. Row 0 has three on b and one on a, row 1 all on a.
        assertEquals(2, hosts.sent.size());
        for (Part part : hosts.sent) {
            assertEquals(part.host.equals("a") ? 2 : 1, part.rowCount());
            assertEquals(part.host.equals("a") ? 4 : 3, part.width);
            assertFalse(part.cold);
        }
    }

    @Test
    void termsAreSpreadEvenlyOverReplicas() {
        var hosts = new FakeHosts("a", "b", "c");
        var round = round(hosts, replicated(1, List.of("a", "b", "c"), "a", "b", "c"));
        round.begin(3, 2, IntStream.range(0, 300).map(i -> i % EXPERTS).toArray(), 0);
        var terms = new HashMap<String, Integer>();
        hosts.sent.forEach(part -> terms.merge(part.host, (int) places(part), Integer::sum));
        assertEquals(java.util.Map.of("a", 100, "b", 100, "c", 100), terms);
    }

    @Test
    void partsAreCutAtTheFrameLimitAndWaitForCredit() {
        var hosts = new FakeHosts("a");
        hosts.frameRowsMax = 4;
        hosts.room.put("a", 6);
        var round = round(hosts, even("a"));
        round.begin(3, 1, new int[10], 0);
        var first = hosts.takeSent();
        assertEquals(List.of(4, 2), first.stream().map(Part::rowCount).toList());
        hosts.room.put("a", 4);
        round.onRows(first.getFirst().dispatchId, 1);
        assertEquals(List.of(4), hosts.sent.stream().map(Part::rowCount).toList());
        assertFalse(round.done());
    }

    @Test
    void aRefusedPartGoesToAnotherHotReplicaWithANewId() {
        var hosts = new FakeHosts("a", "b");
        for (Outcome outcome : List.of(Outcome.STALE, Outcome.MISSING, Outcome.BUSY, Outcome.DRAINING)) {
            var round = round(hosts, replicated(1, List.of("a", "b"), "a", "b"));
            round.begin(3, 1, new int[] {5}, 0);
            Part first = hosts.takeSent().getFirst();
            round.onRefused(first.dispatchId, outcome, new int[] {5}, 1);
            Part second = hosts.takeSent().getFirst();
            assertEquals("b", second.host, outcome.toString());
            assertFalse(second.cold);
            assertTrue(second.dispatchId > first.dispatchId);
            assertNull(round.open(first.dispatchId), "a late result would be added");
            round.onRows(second.dispatchId, 2);
            assertTrue(round.done());
        }
    }

    @Test
    void withoutAnotherHotReplicaAColdOneIsTakenAndThisWorkerLast() {
        var hosts = new FakeHosts("a", "b", "self");
        var round = round(hosts, even("a"));
        round.begin(3, 1, new int[] {5}, 0);
        hosts.ready.remove("a");
        round.onLost("a", 1);
        assertEquals(
                List.of("a", "b"), hosts.sent.stream().map(part -> part.host).toList());
        assertTrue(hosts.sent.getLast().cold);
        hosts.ready.remove("b");
        round.onLost("b", 2);
        assertEquals("self", hosts.sent.getLast().host);
        assertTrue(hosts.sent.getLast().cold);
        assertNull(round.failure());
    }

    @Test
    void anOnlyReplicaThatIsBusyIsAskedAgainLaterAndThenLeftAlone() {
        var hosts = new FakeHosts("a", "b");
        var round = round(hosts, even("a"));
        round.begin(3, 1, new int[] {5}, 0);
        long now = 0;
        int asked = 0;
        while (hosts.sent.getLast().host.equals("a")) {
            asked++;
            round.onRefused(hosts.sent.getLast().dispatchId, Outcome.BUSY, new int[0], now);
            long wake = round.nextWakeNanos(now);
            assertTrue(asked > SETTINGS.busyRetriesMax() || wake > now, "asked again at once");
            now = wake;
            round.onTick(now);
        }
        assertEquals(SETTINGS.busyRetriesMax() + 1, asked);
        assertEquals("b", hosts.sent.getLast().host);
    }

    @Test
    void aSilentHostIsSuspectedAtItsDeadlineAndOneThatStillAnswersIsNot() {
        var hosts = new FakeHosts("a", "b");
        hosts.frameRowsMax = 1;
        var round = round(hosts, even("a"));
        round.begin(3, 1, new int[] {5, 5}, 0);
        var sent = hosts.takeSent();
        assertEquals(TIMEOUT, round.nextWakeNanos(0));
        round.onRows(sent.getFirst().dispatchId, TIMEOUT - 1); // a sign of life
        round.onTick(TIMEOUT + 1);
        assertEquals(List.of(), hosts.suspected);
        round.onTick(2 * TIMEOUT);
        assertEquals(List.of("a"), hosts.suspected);
        assertEquals("b", hosts.sent.getLast().host);
    }

    @Test
    void thisWorkersOwnHostHasTheTimeOfAColdOneBecauseItCanOnlyBeSlow() {
        var hosts = new FakeHosts("self");
        var round = round(hosts, even("self"));
        round.begin(3, 1, new int[] {5}, 0);
        round.onTick(2 * TIMEOUT);
        assertEquals(List.of(), hosts.suspected);
        assertNull(round.failure());
        assertFalse(round.done());
    }

    @Test
    void aStaleAnswerMakesTheNewestPlacementCount() {
        var hosts = new FakeHosts("a", "b", "c");
        var round = round(hosts, even("a"));
        round.begin(3, 1, new int[] {5}, 0);
        hosts.newest = replicated(2, List.of("a", "c"), "c");
        round.onRefused(hosts.takeSent().getFirst().dispatchId, Outcome.STALE, new int[0], 1);
        assertEquals("c", hosts.sent.getFirst().host);
        assertFalse(hosts.sent.getFirst().cold);
        assertEquals(2, round.epoch());
    }

    @Test
    void aHostThatDeniesWhatItWasNotAskedForIsLeftAlone() {
        var hosts = new FakeHosts("a", "b");
        var round = round(hosts, even("a"));
        round.begin(3, 1, new int[] {5}, 0);
        round.onRefused(hosts.takeSent().getFirst().dispatchId, Outcome.MISSING, new int[] {6}, 1);
        assertEquals("b", hosts.takeSent().getFirst().host);
    }

    @Test
    void onlyWhenNothingIsLeftTheRoundFails() {
        var hosts = new FakeHosts("a");
        var round = round(hosts, even("a"));
        round.begin(3, 1, new int[] {5}, 0);
        assertNull(round.failure());
        hosts.ready.clear();
        round.onLost("a", 1);
        assertNotNull(round.failure());
        assertTrue(round.done());
    }

    /// A thousand rounds with hosts that answer, refuse, stay silent, die, come back and answer late: every term is
    /// summed exactly once, within bounded time, and the same seed takes the same course.
    @Test
    void underAnyFaultPlanEveryTermIsSummedOnce() {
        int retried = 0;
        for (long seed = 0; seed < 1000; seed++) {
            var first = new Simulation(seed, true).run();
            assertNull(first.failure(), "seed " + seed);
            assertEquals(first, new Simulation(seed, true).run(), "seed " + seed + " took two courses");
            retried += first.dispatches() - first.dispatchesWithoutFaults();
        }
        assertTrue(retried > 1000, "only " + retried + " retries: the plan has no faults");
    }

    @Test
    void withoutAHostOfItsOwnATrunkEitherSumsEveryTermOnceOrFails() {
        int failed = 0;
        for (long seed = 0; seed < 1000; seed++) {
            failed += new Simulation(seed, false).run().failure() == null ? 0 : 1;
        }
        assertTrue(failed > 0 && failed < 1000, failed + " of 1000 failed");
    }

    private static long places(Part part) {
        return IntStream.of(part.places).filter(place -> place != Part.NO_PLACE).count();
    }

    private static DispatchRound round(Hosts hosts, Placement placement) {
        var round = new DispatchRound("self", SETTINGS, new SplittableRandom(1), hosts);
        round.beginStep(placement);
        return round;
    }

    private static Placement even(String... workers) {
        return Placement.even("m", 1, "p", List.of(workers), FACTS);
    }

    static Placement replicated(long epoch, List<String> workers, String... replicas) {
        var table = new ArrayList<List<String>>();
        for (int cell = 0; cell < FACTS.expertCount(); cell++) {
            table.add(List.of(replicas));
        }
        return new Placement("m", epoch, "p" + epoch, FACTS, workers, table);
    }
}
