package org.bergfried.contract.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// What every implementation of [Cluster] must do, with two members of one cluster.
abstract class ClusterContract {
    /// The first member, a router.
    abstract Cluster router();

    /// The second member, a worker.
    abstract Cluster worker();

    /// Waits until something holds that changes of shared state bring about, at most a few seconds.
    abstract void eventually(String what, BooleanSupplier holds);

    @Test
    void membersSeeAnnouncedWorkersSortedUntilWithdrawn() {
        worker().directory().announce(Samples.worker("w2", 1));
        router().directory().announce(Samples.worker("w1", 1));
        eventually("both are listed", () -> ids(router()).equals(List.of("w1", "w2")));
        eventually("both are listed", () -> ids(worker()).equals(List.of("w1", "w2")));
        assertEquals(Samples.worker("w1", 1), worker().directory().workers().getFirst());
        worker().directory().withdraw("w1"); // not its own
        worker().directory().withdraw("w2");
        eventually("one is left", () -> ids(router()).equals(List.of("w1")));
        router().directory().withdraw("w1");
        eventually("none is left", () -> ids(worker()).isEmpty());
    }

    @Test
    void aReplacedProcessCannotAnnounceItself() {
        worker().directory().announce(Samples.worker("w1", 7));
        worker().directory().announce(Samples.worker("w1", 7).with(WorkerAnnouncement.State.DRAINING));
        eventually(
                "the newer state is seen",
                () -> router().directory().workers().stream()
                        .anyMatch(worker -> worker.state() == WorkerAnnouncement.State.DRAINING));
        var refusal =
                assertThrows(ClusterException.class, () -> router().directory().announce(Samples.worker("w1", 6)));
        assertTrue(refusal.text().contains("start number 7"), refusal.text());
    }

    @Test
    void listenersHearOfWorkersUntilTheyAreClosed() {
        var calls = new java.util.concurrent.atomic.AtomicInteger();
        Registration registration = router().directory().onChange(calls::incrementAndGet);
        worker().directory().announce(Samples.worker("w1", 1));
        eventually("the listener is called", () -> calls.get() > 0);
        registration.close();
        int before = calls.get();
        worker().directory().announce(Samples.worker("w3", 1));
        eventually("w3 is listed", () -> ids(router()).contains("w3"));
        assertEquals(before, calls.get());
    }

    @Test
    void onlyAHigherEpochWins() {
        String model = newId();
        PlacementBoard board = router().placements();
        assertEquals(Optional.empty(), board.current(model));
        Placement second = Samples.placementOf(model, 2, "p2", "w1", "w2");
        assertTrue(board.publish(second));
        assertTrue(board.publish(second), "the same plan again");
        assertFalse(
                board.publish(Samples.placementOf(model, 2, "other", "w1", "w2")), "an equal epoch of another plan");
        assertFalse(board.publish(Samples.placementOf(model, 1, "p1", "w1")), "a lower epoch");
        eventually(
                "the other member sees it",
                () -> worker().placements().current(model).equals(Optional.of(second)));
        assertFalse(
                worker().placements().publish(Samples.placementOf(model, 2, "late", "w2")),
                "from the other member too");
        assertTrue(worker().placements().publish(Samples.placementOf(model, 3, "p3", "w2")));
        eventually(
                "the first member sees the third",
                () -> board.current(model).map(Placement::epoch).equals(Optional.of(3L)));
    }

    @Test
    void aPlacementMadeFromAnotherWinsOnlyOverThatOne() {
        String model = newId();
        PlacementBoard board = router().placements();
        Placement first = Samples.placementOf(model, 1, "p1", "w1");
        Placement third = Samples.placementOf(model, 3, "p3", "w1", "w2");
        assertTrue(board.publish(first, Optional.empty()), "nothing was there");
        assertFalse(board.publish(third, Optional.empty()), "something is there by now");
        assertTrue(board.publish(third, Optional.of(first)), "an epoch may be left out");
        assertTrue(board.publish(third, Optional.of(first)), "the same again");
        Placement late = Samples.placementOf(model, 4, "late", "w2");
        assertFalse(worker().placements().publish(late, Optional.of(first)), "made from what is not there any more");
        assertFalse(
                board.publish(late, Optional.of(Samples.placementOf(model, 3, "other", "w1"))),
                "made from another plan's placement");
        assertTrue(worker().placements().publish(late, Optional.of(third)));
    }

    @Test
    void rulesAreSeenByAllMembersAndNoChangeIsLost() {
        String model = newId();
        assertEquals(PlacementRules.none(model), router().rules().current(model));
        var pin = new ExpertOnWorker(2, 5, "w1");
        router().rules().change(model, rules -> rules.withPin(pin));
        worker().rules().change(model, rules -> rules.withDraining("w2"));
        var expected = new PlacementRules(model, 2, Set.of(pin), Set.of(), Set.of("w2"));
        eventually("the router sees both", () -> router().rules().current(model).equals(expected));
        eventually("the worker sees both", () -> worker().rules().current(model).equals(expected));
        var unpinned =
                router().rules().change(model, rules -> rules.withoutPin(pin).withBan(pin));
        assertEquals(new PlacementRules(model, 3, Set.of(), Set.of(pin), Set.of("w2")), unpinned);
    }

    @Test
    void boardListenersHearGrowingEpochs() {
        String model = newId();
        var epochs = new java.util.concurrent.CopyOnWriteArrayList<Long>();
        Registration registration = worker().placements().onChange(placement -> epochs.add(placement.epoch()));
        for (long epoch = 1; epoch <= 5; epoch++) {
            assertTrue(router().placements().publish(Samples.placementOf(model, epoch, "p" + epoch, "w1")));
        }
        eventually("the last epoch is heard", () -> epochs.contains(5L));
        registration.close();
        assertEquals(epochs.stream().sorted().distinct().toList(), epochs);
    }

    @Test
    void aGenerationIsReadByAnotherMember() throws Exception {
        String id = newId();
        store(router()).put(Samples.generation(id)).toCompletableFuture().get(5, TimeUnit.SECONDS);
        assertEquals(
                new StoredGeneration(Samples.generation(id), 0, TokenIds.empty(), Optional.empty()),
                store(worker()).read(id).orElseThrow());
        store(router()).append(id, 1, 0, TokenIds.of(5, 6, 7));
        store(router()).append(id, 1, 3, TokenIds.of(8));
        eventually("the log arrives", () -> log(worker(), id).equals(TokenIds.of(5, 6, 7, 8)));
        store(router()).finish(id, "stop");
        eventually(
                "the end arrives",
                () -> store(worker()).read(id).orElseThrow().finishReason().equals(Optional.of("stop")));
        assertEquals(Optional.empty(), store(worker()).read(newId()));
    }

    @Test
    void anotherRouterGoesOnWithTheLog() throws Exception {
        String id = newId();
        store(router()).put(Samples.generation(id)).toCompletableFuture().get(5, TimeUnit.SECONDS);
        store(router()).append(id, 1, 0, TokenIds.of(1, 2, 3, 4));
        eventually("the log arrives", () -> log(worker(), id).size() == 4);
        store(worker()).append(id, 2, 3, TokenIds.of(4, 5, 6)); // overlaps: the tokens are the same
        eventually("the log goes on", () -> log(router(), id).equals(TokenIds.of(1, 2, 3, 4, 5, 6)));
        assertEquals(2, store(router()).read(id).orElseThrow().attempt());
    }

    @Test
    void aLongLogComesBackWhole() throws Exception {
        String id = newId();
        store(router()).put(Samples.generation(id)).toCompletableFuture().get(5, TimeUnit.SECONDS);
        int[] all = java.util.stream.IntStream.range(0, 1000).map(i -> i * 7).toArray();
        for (int from = 0; from < all.length; from += 13) {
            int to = Math.min(all.length, from + 13);
            store(router()).append(id, 1, from, TokenIds.of(java.util.Arrays.copyOfRange(all, from, to)));
        }
        eventually("the whole log arrives", () -> log(worker(), id).equals(TokenIds.of(all)));
    }

    @Test
    void aGenerationIsStoredOnce() throws Exception {
        String id = newId();
        store(router()).put(Samples.generation(id)).toCompletableFuture().get(5, TimeUnit.SECONDS);
        var again = store(worker()).put(Samples.generation(id)).toCompletableFuture();
        var failure = assertThrows(Exception.class, () -> again.get(5, TimeUnit.SECONDS));
        assertEquals(
                ErrorReason.INTERNAL,
                ((ClusterException) java.util.Objects.requireNonNull(failure.getCause())).reason());
    }

    @Test
    void countsOnlyRouters() {
        eventually("both are members", () -> router().livingRouters() == 1 && worker().livingRouters() == 1);
    }

    @AfterEach
    void withdrawEverybody() {
        for (Cluster member : List.of(router(), worker())) {
            List.of("w1", "w2", "w3").forEach(member.directory()::withdraw);
        }
        eventually(
                "nobody is listed",
                () -> ids(router()).isEmpty() && ids(worker()).isEmpty());
    }

    static List<String> ids(Cluster cluster) {
        return cluster.directory().workers().stream()
                .map(WorkerAnnouncement::id)
                .toList();
    }

    static GenerationStore store(Cluster cluster) {
        return cluster.generations();
    }

    static TokenIds log(Cluster cluster, String id) {
        return store(cluster).read(id).orElseThrow().ids();
    }

    static String newId() {
        return UUID.randomUUID().toString().replace("-", "");
    }
}
