package org.bergfried.worker.hosting;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.SystemClock;
import org.bergfried.contract.cluster.ExpertSet;
import org.bergfried.contract.cluster.PlacementFacts;
import org.bergfried.worker.expert.ExpertHost;
import org.bergfried.worker.expert.ExpertSizes;
import org.bergfried.worker.expert.ExpertStore;
import org.bergfried.worker.expert.HostSettings;
import org.bergfried.worker.expert.InstallListener;
import org.bergfried.worker.expert.SyntheticModel;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.choice.Backends;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Two hosts that ask each other by plain calls.
final class HostingTest {
    private static final SyntheticModel MODEL = new SyntheticModel(SyntheticModel.Types.CODES, 64, 32, 6, 4);
    private static final PlacementFacts FACTS = ExpertStore.facts(MODEL.spec());
    private static final ExpertSet ALL = ExpertSet.all(FACTS);
    private static final PlanEpoch PLAN = new PlanEpoch(2, "plan");

    private final Backend backend = Backends.create("scalar", 1);
    private final Map<String, Hosting> hosts = new HashMap<>();
    private final List<ExpertStore> stores = new java.util.ArrayList<>();
    private final List<ExpertHost> computing = new java.util.ArrayList<>();

    @TempDir
    private Path directory;

    @AfterEach
    void close() {
        computing.forEach(ExpertHost::close);
        stores.forEach(ExpertStore::close);
        backend.close();
    }

    @Test
    void anExpertGoesOnlyWithTheWordOfAnotherHost() throws InterruptedException {
        Hosting first = host("a", ALL);
        host("b", ExpertSet.none(FACTS).with(1, 3));
        var outcomes = first.evict(
                PLAN,
                List.of(
                        new Eviction(1, 3, "b"),
                        new Eviction(1, 4, "b"),
                        new Eviction(2, 0, "gone"),
                        new Eviction(2, 1, "a")));
        assertTrue(outcomes.get(0).kept().isEmpty());
        assertTrue(outcomes.get(1).kept().orElseThrow().contains("worker b does not confirm"));
        assertTrue(outcomes.get(2).kept().orElseThrow().contains("no worker gone"));
        assertTrue(outcomes.get(3).kept().orElseThrow().contains("is this one"));
        assertEquals(ALL.count() - 1, first.hot().count());
        assertFalse(first.hot().contains(1, 3));
        assertEquals(first.bytesPerExpert(1), first.freeBytes());
        assertTrue(first.evict(PLAN, List.of(new Eviction(1, 3, "b")))
                .getFirst()
                .kept()
                .isEmpty()); // again: it is not there any more
    }

    @Test
    void aWorkerThatEndsGivesNoWord() throws InterruptedException {
        Hosting first = host("a", ALL);
        host("b", ALL).ends();
        var outcome = first.evict(PLAN, List.of(new Eviction(1, 3, "b"))).getFirst();
        assertTrue(outcome.kept().isPresent());
        assertTrue(first.hot().contains(1, 3));
    }

    @Test
    void ofTwoHostsThatLetGoOfEachOthersExpertsOneKeepsEach() throws Exception {
        for (int round = 0; round < 30; round++) {
            Hosting first = host("a", ALL);
            Hosting second = host("b", ALL);
            var start = new CyclicBarrier(2);
            try (var threads = Executors.newFixedThreadPool(2)) {
                var one = threads.submit(evictAll(first, "b", new PlanEpoch(2, "x"), start));
                var other = threads.submit(evictAll(second, "a", new PlanEpoch(3, "y"), start));
                one.get();
                other.get();
            }
            var cells = first.hot().cells();
            cells.or(second.hot().cells());
            assertEquals(ALL.cells(), cells);
        }
    }

    @Test
    void commandsOfReplacedPlansAreRefused() {
        Hosting first = host("a", ALL);
        first.install(new PlanEpoch(4, "new"), ALL, List.of(), InstallListener.NONE);
        for (Callable<?> late : List.<Callable<?>>of(
                () -> first.evict(PLAN, List.of(new Eviction(1, 3, "b"))),
                () -> first.drain(PLAN, ALL, java.time.Duration.ZERO),
                () -> first.install(new PlanEpoch(4, "other"), ALL, List.of(), InstallListener.NONE))) {
            var refusal = assertThrows(ClusterException.class, late::call);
            assertEquals(ErrorReason.STALE_PLAN, refusal.reason());
        }
        assertEquals(ALL, first.hot());
    }

    @Test
    void whatDoesNotFitIsRefusedWithNumbersAndTheOthersAreInstalled() {
        Hosting full = host("a", ExpertSet.none(FACTS), 2);
        var refusals = new java.util.ArrayList<ClusterException>();
        var installation = full.install(PLAN, ALL, List.of(), new InstallListener() {
            @Override
            public void failed(int layer, int expert, ClusterException why) {
                refusals.add(why);
            }
        });
        installation.done().handle((done, failure) -> failure).join();
        assertEquals(2, full.hot().count());
        assertEquals(ALL.count() - 2, refusals.size());
        assertEquals(ErrorReason.TOO_LARGE, refusals.getFirst().reason());
        assertTrue(refusals.getFirst().text().contains(Long.toString(2 * full.bytesPerExpert(1))));
    }

    private static Callable<List<Eviction.Outcome>> evictAll(
            Hosting host, String otherId, PlanEpoch command, CyclicBarrier start) {
        List<Eviction> evictions = ALL.cells().stream()
                .mapToObj(cell -> new Eviction(FACTS.moeLayers().get(cell / 6), cell % 6, otherId))
                .toList();
        return () -> {
            start.await();
            return host.evict(command, evictions);
        };
    }

    private Hosting host(String id, ExpertSet hot) {
        return host(id, hot, ALL.count());
    }

    private Hosting host(String id, ExpertSet hot, int experts) {
        long one = ExpertSizes.onCpu(MODEL).largest();
        var store =
                new ExpertStore(MODEL, backend, new ExpertStore.Budget(experts * one, one), ExpertStore.Verifier.NONE);
        stores.add(store);
        store.install(hot).done().join();
        var host = new ExpertHost(MODEL, store, backend, HostSettings.defaults(id, 1), new SystemClock());
        computing.add(host);
        var hosting = new Hosting(MODEL, store, host, new ByCalls(), directory);
        hosts.put(id, hosting);
        return hosting;
    }

    private final class ByCalls implements WeightPeers {
        @Override
        public void fetch(String workerId, int layer, int expert, PieceSink sink) {
            throw new ClusterException(ErrorReason.WORKER_LOST, "nothing is fetched here");
        }

        @Override
        public ExpertSet confirm(String workerId, ExpertSet experts) {
            Hosting other = hosts.get(workerId);
            if (other == null) {
                throw new ClusterException(ErrorReason.WORKER_LOST, "no worker " + workerId);
            }
            return other.confirm(experts);
        }
    }
}
