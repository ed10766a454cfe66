package org.bergfried.worker.expert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.ExpertSet;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.choice.Backends;
import org.bergfried.worker.model.Model;
import org.junit.jupiter.api.Test;

final class ExpertStoreTest {
    private static final Model MODEL = new SyntheticModel(SyntheticModel.Types.CODES, 96, 40 * 32, 6, 1);
    private static final ExpertSet ALL = ExpertSet.all(ExpertStore.facts(MODEL.spec()));

    @Test
    void bytesAreKnownBeforeExpertsAreLoaded() {
        for (var types : new SyntheticModel.Types[] {
            SyntheticModel.Types.CODES, SyntheticModel.Types.MIXED, SyntheticModel.Types.FLOATS
        }) {
            var model = new SyntheticModel(types, 96, 64, 6, 1);
            try (Backend backend = Backends.create("scalar", 1);
                    var store = new ExpertStore(
                            model,
                            backend,
                            ExpertStore.Budget.wholeModel(ExpertSizes.onCpu(model)),
                            ExpertStore.Verifier.NONE)) {
                store.install(ALL).done().join();
                assertEquals(ExpertSizes.onCpu(model).all(), store.hotBytes());
            }
        }
    }

    @Test
    void installsUpToItsLimitAndNamesTheNumbers() {
        long one = ExpertSizes.onCpu(MODEL).largest();
        try (Backend backend = Backends.create("scalar", 1);
                var store = new ExpertStore(
                        MODEL, backend, new ExpertStore.Budget(3 * one, one), ExpertStore.Verifier.NONE)) {
            Installation installation = store.install(ALL);
            ClusterException e = failure(installation);
            assertTrue(e.text().contains(Long.toString(3 * one)), e.text());
            assertEquals(3, installation.installed());
            assertEquals(12, installation.total());
            assertEquals(3, store.hot().count());
            store.evict(store.hot()).join();
            assertEquals(0, store.hotBytes());
        }
    }

    @Test
    void coldExpertsNeverTakeMoreThanTheirLimit() {
        long one = ExpertSizes.onCpu(MODEL).largest();
        try (Backend backend = Backends.create("scalar", 1);
                var store = new ExpertStore(
                        MODEL, backend, new ExpertStore.Budget(0, 2 * one), ExpertStore.Verifier.NONE)) {
            for (int expert : new int[] {0, 1, 2, 0, 5, 5, 3}) {
                store.release(store.acquire(1, expert));
                assertTrue(store.coldBytes() <= 2 * one && store.coldBytes() >= one);
            }
        }
    }

    @Test
    void aLimitBelowOneExpertIsRefusedAtStart() {
        long one = ExpertSizes.onCpu(MODEL).largest();
        try (Backend backend = Backends.create("scalar", 1)) {
            var budget = new ExpertStore.Budget(0, one - 1);
            var e = assertThrows(
                    ClusterException.class, () -> new ExpertStore(MODEL, backend, budget, ExpertStore.Verifier.NONE));
            assertTrue(e.text().contains(Long.toString(one)), e.text());
        }
    }

    @Test
    void anExpertThatDiffersFromItsDigestIsNotInstalledAndKeepsNoOtherFromIt() {
        ExpertStore.Verifier third = (layer, expert) -> {
            if (expert == 3) {
                throw new ClusterException(ErrorReason.WEIGHTS_CORRUPT, "expert 3 differs");
            }
        };
        try (Backend backend = Backends.create("scalar", 1);
                var store = new ExpertStore(
                        MODEL, backend, ExpertStore.Budget.wholeModel(ExpertSizes.onCpu(MODEL)), third)) {
            assertEquals(
                    ErrorReason.WEIGHTS_CORRUPT, failure(store.install(ALL)).reason());
            assertEquals(ALL.count() - 2, store.hot().count()); // one in each layer
        }
    }

    @Test
    void anExpertIsComparedWithItsDigestWhenInstalledAndOnTheFirstUse() {
        var verified = new AtomicInteger();
        try (Backend backend = Backends.create("scalar", 1);
                var store = new ExpertStore(
                        MODEL,
                        backend,
                        ExpertStore.Budget.wholeModel(ExpertSizes.onCpu(MODEL)),
                        (layer, expert) -> verified.incrementAndGet())) {
            store.release(store.acquire(1, 0));
            assertEquals(1, verified.get());
            for (int round = 0; round < 2; round++) {
                store.install(ALL).done().join();
                store.evict(ALL).join();
            }
            assertEquals(1 + 2 * ALL.count(), verified.get());
        }
    }

    private static ClusterException failure(Installation installation) {
        var e = assertThrows(
                CompletionException.class, () -> installation.done().join());
        return assertInstanceOf(ClusterException.class, e.getCause());
    }
}
