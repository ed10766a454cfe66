package org.bergfried.worker.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.SystemClock;
import org.bergfried.contract.cluster.ExpertSet;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.worker.dispatch.Check;
import org.bergfried.worker.dispatch.DispatchSettings;
import org.bergfried.worker.expert.ExpertStore;
import org.bergfried.worker.expert.SyntheticModel;
import org.bergfried.worker.expert.SyntheticModel.Types;
import org.bergfried.worker.expert.Workload;
import org.bergfried.worker.kernel.choice.Backends;
import org.bergfried.worker.model.Model;
import org.junit.jupiter.api.Test;

/// Real servers and frames on loopback.
final class ExpertClusterTest {
    private static final long SEED = 99;
    private static final Model CODES = new SyntheticModel(Types.CODES, 64, 32, 10, SEED);

    @Test
    void oneTwoAndFiveWorkersGiveTheBitsOfTheTwin() {
        for (Types types : new Types[] {Types.FLOATS, Types.CODES}) {
            var model = new SyntheticModel(types, 64, 32, 10, SEED);
            for (int workers : new int[] {1, 2, 5}) {
                try (var cluster = even(model, workers)) {
                    for (int rows : new int[] {1, 16, 65, 400}) {
                        Check.equalsTwin(cluster.dispatcher(), new Workload(model, 1, rows, SEED + rows));
                        Check.equalsTwin(cluster.dispatcher(), new Workload(model, 2, rows, SEED - rows));
                    }
                }
            }
        }
    }

    @Test
    void framesAtTheirLimitGiveTheBitsOfTheTwin() {
        var wide = new SyntheticModel(Types.CODES, 4096, 32, 4, SEED);
        try (var cluster = even(wide, 2)) {
            Check.equalsTwin(cluster.dispatcher(), new Workload(wide, 1, 80, SEED));
        }
    }

    @Test
    void replicasGiveTheBitsOfTheTwin() {
        try (var cluster = replicated(CODES, 3)) {
            Check.equalsTwin(cluster.dispatcher(), new Workload(CODES, 1, 33, SEED));
        }
    }

    @Test
    void aHostThatDiesBetweenLayersIsReplacedByReplicas() {
        try (var cluster = replicated(CODES, 3)) {
            cluster.dispatcher().beginStep(1);
            Check.layerEqualsTwin(cluster.dispatcher(), new Workload(CODES, 1, 33, SEED));
            cluster.kill(1);
            Check.layerEqualsTwin(cluster.dispatcher(), new Workload(CODES, 2, 33, SEED));
        }
    }

    @Test
    void aHostThatDiesWithWorkInHandIsReplacedByReplicas() {
        for (int round = 0; round < 5; round++) {
            try (var cluster = replicated(CODES, 3)) {
                var work = new Workload(CODES, 1, 300, SEED + round);
                Check.duringDispatch(cluster.dispatcher(), work, () -> cluster.kill(1));
            }
        }
    }

    @Test
    void aHostWithoutReplicaIsReplacedByColdExpertsOfAnother() {
        try (var cluster = even(CODES, 3)) {
            Check.duringDispatch(cluster.dispatcher(), new Workload(CODES, 1, 40, SEED), () -> cluster.kill(2));
            Check.equalsTwin(cluster.dispatcher(), new Workload(CODES, 2, 40, SEED));
        }
    }

    @Test
    void aDrainingHostIsReplaced() {
        try (var cluster = even(CODES, 2)) {
            cluster.host(0).drain();
            Check.equalsTwin(cluster.dispatcher(), new Workload(CODES, 1, 20, SEED));
        }
    }

    @Test
    void anEvictedExpertIsFoundColdWhetherThePlacementIsOldOrTheHostIsWrong() {
        for (long epochSeen : new long[] {1, 7}) {
            try (var cluster = even(CODES, 2)) {
                cluster.host(0).sawEpoch(epochSeen);
                cluster.store(0).evict(cluster.store(0).hot()).join();
                Check.equalsTwin(cluster.dispatcher(), new Workload(CODES, 1, 20, SEED));
            }
        }
    }

    @Test
    void evictionsAndInstallationsAtRandomNeverChangeTheBits() throws Exception {
        try (var cluster = replicated(CODES, 3);
                var mover = Executors.newSingleThreadExecutor()) {
            var stop = new AtomicBoolean();
            var facts = ExpertStore.facts(CODES.spec());
            var moved = mover.submit(() -> {
                var random = new SplittableRandom(SEED);
                int changes = 0;
                while (!stop.get() || changes < 200) {
                    var store = cluster.store(random.nextInt(3));
                    var one = ExpertSet.none(facts).with(1 + random.nextInt(2), random.nextInt(10));
                    if (store.hot().contains(facts.moeLayers().getFirst(), 0) && random.nextInt(50) == 0) {
                        store.evict(store.hot()).get();
                    } else if (random.nextBoolean()) {
                        store.evict(one).get();
                    } else {
                        var _ = store.install(one)
                                .done()
                                .handle((done, full) -> full)
                                .get();
                    }
                    changes++;
                }
                return changes;
            });
            for (int round = 0; round < 60; round++) {
                Check.equalsTwin(cluster.dispatcher(), new Workload(CODES, 1 + round % 2, 1 + round, SEED + round));
            }
            stop.set(true);
            assertTrue(moved.get() >= 200);
        }
    }

    @Test
    void whenTheLastHostDiesTheStepEndsWithExpertUnplaced() {
        try (var cluster = even(CODES, 1)) {
            var work = new Workload(CODES, 1, 3, SEED);
            Check.equalsTwin(cluster.dispatcher(), work);
            cluster.kill(0);
            var e = assertThrows(ClusterException.class, () -> Check.equalsTwin(cluster.dispatcher(), work));
            assertEquals(ErrorReason.EXPERT_UNPLACED, e.reason());
        }
    }

    private static ExpertCluster even(Model model, int workers) {
        return ExpertCluster.open(
                model, workers, () -> Backends.create("scalar", 1), new SystemClock(), new SplittableRandom(SEED));
    }

    /// Every expert on two of the workers.
    private static ExpertCluster replicated(Model model, int workers) {
        var facts = ExpertStore.facts(model.spec());
        List<String> ids = ExpertCluster.workerIds(workers);
        var table = new ArrayList<List<String>>();
        for (int cell = 0; cell < facts.expertCount(); cell++) {
            table.add(List.of(ids.get(cell % workers), ids.get((cell + 1) % workers)));
        }
        var placement = new Placement(model.digest(), 1, "replicated", facts, ids, table);
        var settings = new DispatchSettings(Duration.ofSeconds(5), Duration.ofSeconds(30), Duration.ofMillis(2), 8, 64);
        return ExpertCluster.open(
                model,
                placement,
                () -> Backends.create("scalar", 1),
                settings,
                new SystemClock(),
                new SplittableRandom(SEED));
    }
}
