package org.bergfried.contract.cluster;

import java.util.List;
import java.util.Set;
import org.bergfried.contract.cluster.WorkerAnnouncement.Role;
import org.bergfried.contract.cluster.WorkerAnnouncement.State;

/// Valid records for tests.
final class Samples {
    static final String MODEL = "a".repeat(64);
    static final PlacementFacts FACTS = PlacementFacts.of(new int[] {1, 2, 5}, 6);

    private Samples() {}

    static WorkerAnnouncement worker(String id, long startNumber) {
        return new WorkerAnnouncement(
                id,
                startNumber,
                "127.0.0.1:9091",
                "127.0.0.1:8081",
                Set.of(Role.TRUNK, Role.EXPERT),
                "maker/demo model",
                MODEL,
                "b1-f32-d",
                "vector",
                State.READY,
                1L << 33,
                FACTS,
                ExpertSet.none(FACTS).with(1, 0).with(5, 5),
                3);
    }

    static Placement placement(long epoch, String planId, String... workers) {
        return placementOf(MODEL, epoch, planId, workers);
    }

    static Placement placementOf(String model, long epoch, String planId, String... workers) {
        return Placement.even(model, epoch, planId, List.of(workers), FACTS);
    }

    static PlacementRules rules() {
        var pins = Set.of(new ExpertOnWorker(1, 2, "w1"), new ExpertOnWorker(5, 0, "w2"));
        return new PlacementRules(MODEL, 7, pins, Set.of(new ExpertOnWorker(2, 1, "w1")), Set.of("w3", "w4"));
    }

    static GenerationRecord generation(String id) {
        return new GenerationRecord(
                id,
                "tenant of group/a",
                MODEL,
                "b1-f32-d",
                TokenIds.of(0, 17, 129_279),
                new GenerationRecord.Sampling(0.7, 0.9, 40, 0.05, -1L),
                TokenIds.of(1, 2),
                List.of("\n\n", "Straße"),
                100,
                true,
                false,
                true,
                1_700_000_000_000L);
    }
}
