package org.bergfried.worker.member;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Set;
import org.bergfried.contract.SystemClock;
import org.bergfried.contract.cluster.ExpertSet;
import org.bergfried.contract.cluster.MemberRole;
import org.bergfried.contract.cluster.MemoryCluster;
import org.bergfried.contract.cluster.PlacementFacts;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.contract.cluster.WorkerAnnouncement.Role;
import org.bergfried.contract.cluster.WorkerAnnouncement.State;
import org.bergfried.worker.client.PeerAddress;
import org.junit.jupiter.api.Test;

class ExpertPeersTest {
    private static final String MODEL = "a".repeat(64);
    private static final String NUMERICS = "b1-f32-d";
    private static final PlacementFacts FACTS = PlacementFacts.of(new int[] {1}, 4);

    @Test
    void aHostWhoseTrunkIsNotReadyStaysAPeerForItsExperts() {
        ExpertSet some = ExpertSet.none(FACTS).with(1, 2);
        assertEquals(List.of("other"), peers(State.LOADING, some));
        assertEquals(List.of("other"), peers(State.READY, ExpertSet.none(FACTS)));
        assertEquals(List.of("other"), peers(State.DRAINING, some));
    }

    @Test
    void aHostThatStartsOrRefusesToServeIsNoPeer() {
        assertEquals(List.of(), peers(State.LOADING, ExpertSet.none(FACTS)));
        assertEquals(List.of(), peers(State.FAILED, ExpertSet.none(FACTS).with(1, 2)));
    }

    private static List<String> peers(State state, ExpertSet hot) {
        try (var router = new MemoryCluster(new SystemClock(), MemberRole.ROUTER);
                var member = router.join(MemberRole.WORKER)) {
            member.directory().announce(worker(state, hot));
            return ExpertPeers.of("self", MODEL, NUMERICS, member.directory()).stream()
                    .map(PeerAddress::workerId)
                    .toList();
        }
    }

    private static WorkerAnnouncement worker(State state, ExpertSet hot) {
        return new WorkerAnnouncement(
                "other",
                1,
                "127.0.0.1:9091",
                "127.0.0.1:8081",
                Set.of(Role.TRUNK, Role.EXPERT),
                "demo",
                MODEL,
                NUMERICS,
                "scalar",
                state,
                0,
                FACTS,
                hot,
                1);
    }
}
