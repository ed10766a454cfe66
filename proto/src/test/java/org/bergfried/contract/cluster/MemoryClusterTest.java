package org.bergfried.contract.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.bergfried.contract.FakeClock;
import org.junit.jupiter.api.Test;

final class MemoryClusterTest extends ClusterContract {
    private final FakeClock clock = new FakeClock();
    private final MemoryCluster router = new MemoryCluster(clock, MemberRole.ROUTER);
    private final MemoryCluster worker = router.join(MemberRole.WORKER);

    @Override
    Cluster router() {
        return router;
    }

    @Override
    Cluster worker() {
        return worker;
    }

    @Override
    void eventually(String what, BooleanSupplier holds) {
        assertTrue(holds.getAsBoolean(), what);
    }

    @Test
    void theWorkersOfADeadMemberVanish() {
        worker.directory().announce(Samples.worker("w1", 1));
        router.directory().announce(Samples.worker("w2", 1));
        var seen = new java.util.ArrayList<List<String>>();
        router.directory().onChange(() -> seen.add(ids(router)));
        worker.close();
        assertEquals(List.of(List.of("w2")), seen);
    }

    @Test
    void generationsAreForgotten120SecondsAfterTheirEnd() {
        router.generations().put(Samples.generation("g1"));
        clock.advance(Duration.ofHours(2));
        router.generations().finish("g1", "stop");
        clock.advance(Duration.ofMillis(119_999));
        assertTrue(worker.generations().read("g1").isPresent());
        clock.advance(Duration.ofMillis(1));
        assertEquals(Optional.empty(), worker.generations().read("g1"));
    }

    @Test
    void generationsThatNeverEndAreForgottenAfterSixHours() {
        router.generations().put(Samples.generation("g1"));
        clock.advance(Duration.ofHours(6).minusNanos(1));
        assertTrue(worker.generations().read("g1").isPresent());
        clock.advance(Duration.ofNanos(1));
        assertEquals(Optional.empty(), worker.generations().read("g1"));
    }

    @Test
    void aZombiesTokensAndTokensAfterAGapAreIgnored() {
        router.generations().put(Samples.generation("g1"));
        router.generations().append("g1", 2, 0, TokenIds.of(1, 2));
        router.generations().append("g1", 1, 2, TokenIds.of(99));
        router.generations().append("g1", 2, 3, TokenIds.of(4));
        assertEquals(TokenIds.of(1, 2), log(worker, "g1"));
    }
}
