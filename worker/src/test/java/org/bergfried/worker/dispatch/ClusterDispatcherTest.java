package org.bergfried.worker.dispatch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.SystemClock;
import org.bergfried.contract.cluster.ExpertSet;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.worker.expert.ExpertHost;
import org.bergfried.worker.expert.ExpertSizes;
import org.bergfried.worker.expert.ExpertStore;
import org.bergfried.worker.expert.HostSettings;
import org.bergfried.worker.expert.SyntheticModel;
import org.bergfried.worker.expert.SyntheticModel.Types;
import org.bergfried.worker.expert.Workload;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.choice.Backends;
import org.bergfried.worker.model.Model;
import org.junit.jupiter.api.Test;

/// A dispatcher without other workers: the local path.
final class ClusterDispatcherTest {
    private static final long SEED = 77;

    @Test
    void floatExpertsGiveTheBitsOfTheTwin() {
        everyRowCount(new SyntheticModel(Types.FLOATS, 64, 96, 9, SEED));
    }

    @Test
    void codedExpertsGiveTheBitsOfTheTwin() {
        everyRowCount(new SyntheticModel(Types.CODES, 96, 64, 9, SEED));
    }

    @Test
    void expertsOfMixedTypesGiveTheBitsOfTheTwin() {
        everyRowCount(new SyntheticModel(Types.MIXED, 64, 320, 9, SEED));
    }

    @Test
    void columnsThatAreNoMultipleOfTheBlockWorkForFloats() {
        everyRowCount(new SyntheticModel(Types.FLOATS, 40, 24, 6, SEED));
    }

    private static void everyRowCount(Model model) {
        try (var worker = new Worker(model, HostSettings.defaults("w", 1))) {
            for (int rows : new int[] {1, 2, 7, 64, 65, 300}) {
                Check.equalsTwin(worker.dispatcher, new Workload(model, 1 + rows % 2, rows, SEED + rows));
            }
        }
    }

    @Test
    void moreRowsThanTheCreditAreSplitAndGiveTheSameBits() {
        var model = new SyntheticModel(Types.CODES, 64, 32, 8, SEED);
        try (var worker = new Worker(model, new HostSettings("w", 1, 5, 100, 3, 2))) {
            Check.equalsTwin(worker.dispatcher, new Workload(model, 1, 50, SEED));
        }
    }

    @Test
    void installedExpertsGiveTheBitsOfColdOnes() {
        var model = new SyntheticModel(Types.CODES, 64, 32, 8, SEED);
        try (var worker = new Worker(model, HostSettings.defaults("w", 1))) {
            worker.store
                    .install(ExpertSet.all(ExpertStore.facts(model.spec())))
                    .done()
                    .join();
            assertEquals(16, worker.store.hot().count());
            Check.equalsTwin(worker.dispatcher, new Workload(model, 2, 20, SEED));
            assertEquals(0, worker.store.coldBytes());
        }
    }

    @Test
    void poisonStaysInItsRow() {
        for (Types types : new Types[] {Types.FLOATS, Types.CODES}) {
            var model = new SyntheticModel(types, 64, 32, 8, SEED);
            try (var worker = new Worker(model, HostSettings.defaults("w", 1))) {
                var work = new Workload(model, 1, 9, SEED, 4);
                assertEquals(1, work.poisoned[4]);
                Check.equalsTwin(worker.dispatcher, work);
            }
        }
    }

    @Test
    void expertsOfALostHostAreComputedHereWhileItIsGone() {
        var model = new SyntheticModel(Types.CODES, 64, 32, 8, SEED);
        var facts = ExpertStore.facts(model.spec());
        var placement = Placement.even(model.digest(), 1, "p", java.util.List.of("gone", "w"), facts);
        try (var worker = new Worker(model, HostSettings.defaults("w", 1), placement)) {
            worker.store.install(placement.expertsOn("w")).done().join();
            Check.equalsTwin(worker.dispatcher, new Workload(model, 1, 20, SEED));
            assertTrue(worker.store.coldBytes() > 0);
        }
    }

    @Test
    void withoutAnyHostTheStepEndsWithExpertUnplaced() {
        var model = new SyntheticModel(Types.CODES, 64, 32, 8, SEED);
        try (var dispatcher = new ClusterDispatcher(
                model,
                null,
                Peers.NONE,
                new Inbox(),
                () -> null,
                DispatchSettings.defaults(),
                new SystemClock(),
                new SplittableRandom(SEED))) {
            var work = new Workload(model, 1, 2, SEED);
            var e = assertThrows(ClusterException.class, () -> Check.equalsTwin(dispatcher, work));
            assertEquals(ErrorReason.EXPERT_UNPLACED, e.reason());
        }
    }

    @Test
    void aColdExpertWithCorruptWeightsEndsTheStepAndNotTheHost() {
        var model = new SyntheticModel(Types.CODES, 64, 32, 8, SEED);
        var work = new Workload(model, 1, 1, SEED);
        ExpertStore.Verifier refusing = (layer, expert) -> {
            if (layer == 1 && expert == work.ids[2]) {
                throw new ClusterException(ErrorReason.WEIGHTS_CORRUPT, "expert " + expert + " differs");
            }
        };
        try (var worker = new Worker(model, HostSettings.defaults("w", 1), null, refusing)) {
            var e = assertThrows(ClusterException.class, () -> Check.equalsTwin(worker.dispatcher, work));
            assertEquals(ErrorReason.EXPERT_UNPLACED, e.reason());
            Check.equalsTwin(worker.dispatcher, new Workload(model, 2, 5, SEED));
        }
    }

    /// One worker: its host and a dispatcher.
    private static final class Worker implements AutoCloseable {
        final Backend backend = Backends.create("scalar", 1);
        final ExpertStore store;
        final ExpertHost host;
        final ClusterDispatcher dispatcher;

        Worker(Model model, HostSettings settings) {
            this(model, settings, null);
        }

        Worker(Model model, HostSettings settings, @org.jspecify.annotations.Nullable Placement placement) {
            this(model, settings, placement, ExpertStore.Verifier.NONE);
        }

        Worker(
                Model model,
                HostSettings settings,
                @org.jspecify.annotations.Nullable Placement placement,
                ExpertStore.Verifier verifier) {
            store = new ExpertStore(model, backend, ExpertStore.Budget.wholeModel(ExpertSizes.onCpu(model)), verifier);
            host = new ExpertHost(model, store, backend, settings, new SystemClock());
            dispatcher = new ClusterDispatcher(
                    model,
                    host,
                    Peers.NONE,
                    new Inbox(),
                    () -> placement,
                    DispatchSettings.defaults(),
                    new SystemClock(),
                    new SplittableRandom(SEED));
        }

        @Override
        public void close() {
            dispatcher.close();
            host.close();
            store.close();
            backend.close();
        }
    }
}
