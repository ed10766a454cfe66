package org.bergfried.router;

import java.util.List;
import java.util.Set;
import org.bergfried.contract.cluster.ExpertSet;
import org.bergfried.contract.cluster.PlacementFacts;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.contract.cluster.WorkerAnnouncement.Role;
import org.bergfried.contract.cluster.WorkerAnnouncement.State;

/// Announcements of workers for tests.
public final class TestWorkers {
    /// A model of three mixture layers with 16 experts each.
    public static final PlacementFacts FACTS = new PlacementFacts(List.of(1, 2, 3), 16);

    private TestWorkers() {}

    /// A ready worker with both roles.
    public static WorkerAnnouncement ready(String id) {
        return at(id, 1, "127.0.0.1:9091", "digest");
    }

    /// A ready worker with both roles at an address.
    public static WorkerAnnouncement at(String id, long startNumber, String address, String modelDigest) {
        return new WorkerAnnouncement(
                id,
                startNumber,
                address,
                "127.0.0.1:8081",
                Set.of(Role.TRUNK, Role.EXPERT),
                "demo",
                modelDigest,
                "b1-f32-d",
                "scalar",
                State.READY,
                0,
                FACTS,
                ExpertSet.none(FACTS),
                0);
    }
}
