package org.bergfried.router.home;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.contract.cluster.WorkerAnnouncement.State;
import org.bergfried.router.TestWorkers;
import org.junit.jupiter.api.Test;

final class HomeChoiceTest {
    private static final List<WorkerAnnouncement> FOUR =
            List.of(TestWorkers.ready("w1"), TestWorkers.ready("w2"), TestWorkers.ready("w3"), TestWorkers.ready("w4"));

    @Test
    void aSessionStaysAtItsHome() {
        for (int session = 0; session < 100; session++) {
            long key = HomeChoice.affinityKey("acme", "question " + session);
            String home = idle(FOUR, key);
            assertEquals(home, idle(FOUR.reversed(), key), "the order of the list must not matter");
        }
    }

    @Test
    void aLostWorkerMovesOnlyItsOwnSessions() {
        var three = FOUR.subList(0, 3);
        int moved = 0;
        for (int session = 0; session < 1000; session++) {
            long key = HomeChoice.affinityKey("acme", "question " + session);
            if (idle(FOUR, key).equals("w4")) {
                moved++;
            } else {
                assertEquals(idle(FOUR, key), idle(three, key));
            }
        }
        assertTrue(moved > 200 && moved < 300, "about a quarter of the sessions live at w4, not " + moved);
    }

    @Test
    void noHomeIsFloodedByOneSession() {
        Map<String, Integer> loads = new HashMap<>();
        long key = HomeChoice.affinityKey("acme", "the same for all");
        for (int i = 0; i < 400; i++) {
            String home = HomeChoice.choose(FOUR, key, id -> loads.getOrDefault(id, 0))
                    .orElseThrow()
                    .id();
            loads.merge(home, 1, Integer::sum);
        }
        assertTrue(loads.values().stream().allMatch(load -> load <= 130), "loads " + loads);
    }

    @Test
    void tenantsDoNotShareKeys() {
        var homes = new ArrayList<String>();
        for (int tenant = 0; tenant < 50; tenant++) {
            homes.add(idle(FOUR, HomeChoice.affinityKey("tenant" + tenant, "hello")));
        }
        assertEquals(4, homes.stream().distinct().count());
    }

    @Test
    void onlyReadyTrunksOfTheModelAreCandidates() {
        var workers =
                List.of(FOUR.get(0), FOUR.get(1).with(State.DRAINING), TestWorkers.at("w5", 1, "127.0.0.1:1", "other"));
        assertEquals(List.of(FOUR.get(0)), HomeChoice.candidates(workers, "digest", "b1-f32-d"));
        assertTrue(HomeChoice.candidates(workers, "digest", "b1-f16-d").isEmpty());
    }

    private static String idle(List<WorkerAnnouncement> workers, long key) {
        return HomeChoice.choose(workers, key, id -> 0).orElseThrow().id();
    }
}
