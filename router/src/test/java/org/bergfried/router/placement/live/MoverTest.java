package org.bergfried.router.placement.live;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.SystemClock;
import org.bergfried.contract.cluster.ExpertOnWorker;
import org.bergfried.contract.cluster.MemberRole;
import org.bergfried.contract.cluster.MemoryCluster;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.router.TestWorkers;
import org.bergfried.router.placement.plan.PlanSettings;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Plans that are carried out on fake hosts, and every point at which they can fail.
final class MoverTest {
    private static final String MODEL = "digest";

    private final MemoryCluster cluster = new MemoryCluster(new SystemClock(), MemberRole.ROUTER);
    private final FakeHosts hosts = new FakeHosts(40);
    private final SplittableRandom random = new SplittableRandom(7);
    private final Mover mover =
            new Mover(cluster, 1, hosts, digest -> Optional.empty(), new SystemClock(), random::nextLong);

    @BeforeEach
    void startWorkers() {
        for (String id : List.of("a", "b", "c")) {
            cluster.directory().announce(TestWorkers.ready(id));
        }
        var first = Placement.even(MODEL, 1, "even-1", List.of("a", "b", "c"), TestWorkers.FACTS);
        assertTrue(cluster.placements().publish(first));
        hosts.follow(first);
    }

    @AfterEach
    void leave() {
        mover.close();
        cluster.close();
    }

    @Test
    void movesAnExpertMakeBeforeBreak() throws Exception {
        String from = hostOf(1, 0);
        String to = other(from);
        Progress end = run(move(1, 0, from, to));
        assertEquals(Progress.State.DONE, end.state(), end.message());
        assertEquals(List.of(to), current().replicas(1, 0));
        assertEquals(2, current().epoch());
        assertTrue(hosts.hot(to).contains(1, 0));
        assertFalse(hosts.hot(from).contains(1, 0));
        assertEquals(List.of("install " + to + " 1", "drain " + from + " 1", "evict " + from + " 1"), hosts.calls);
        assertEquals(4, end.stepsDone());
        assertEquals(FakeHosts.EXPERT_BYTES, end.bytesDone());
        assertEquals("alice", end.who());
    }

    @Test
    void replicatesAndEvicts() throws Exception {
        String first = hostOf(2, 3);
        String second = other(first);
        run(mover.change(wish("replicate"), Set.of(on(2, 3, second)), Set.of()));
        assertEquals(Set.of(first, second), Set.copyOf(current().replicas(2, 3)));
        run(mover.change(wish("evict"), Set.of(), Set.of(on(2, 3, first))));
        assertEquals(List.of(second), current().replicas(2, 3));
        assertFalse(hosts.hot(first).contains(2, 3));
        var refusal = assertThrows(
                ClusterException.class, () -> mover.change(wish("evict"), Set.of(), Set.of(on(2, 3, second))));
        assertTrue(refusal.text().contains("last replica"), refusal.text());
    }

    @Test
    void refusesImpossibleChangesByName() {
        String from = hostOf(1, 0);
        assertRefused("it is there already", Set.of(on(1, 0, from)), Set.of());
        assertRefused("it is not there", Set.of(), Set.of(on(1, 0, other(from))));
        assertRefused("no such living expert worker", Set.of(on(1, 0, "z")), Set.of());
        assertRefused("no such expert", Set.of(on(9, 0, other(from))), Set.of());
        cluster.rules().change(MODEL, rules -> rules.withBan(on(1, 0, other(from))));
        assertRefused("unban it first", Set.of(on(1, 0, other(from))), Set.of());
        cluster.rules().change(MODEL, rules -> rules.withDraining("c"));
        int notOnC = hostOf(1, 0).equals("c") ? 1 : 0;
        assertRefused("being drained", Set.of(on(1, notOnC, "c")), Set.of());
    }

    @Test
    void aFullWorkerIsRefusedBeforeAnythingHappens() throws Exception {
        var small = new FakeHosts(16); // the three hosts hold 16 each
        small.follow(current());
        var full = new Mover(cluster, 1, small, digest -> Optional.empty(), new SystemClock(), random::nextLong);
        String from = hostOf(1, 0);
        var refusal = assertThrows(
                ClusterException.class, () -> full.change(wish("replicate"), Set.of(on(1, 0, other(from))), Set.of()));
        assertTrue(refusal.text().contains("no room"), refusal.text());
        assertEquals(List.of(), small.calls);
    }

    @Test
    void aCorruptFileStopsThePlanBeforeActivation() throws Exception {
        String from = hostOf(1, 0);
        String to = other(from);
        hosts.corrupt(to);
        Progress end = run(move(1, 0, from, to));
        assertEquals(Progress.State.FAILED, end.state());
        assertTrue(end.message().contains("WEIGHTS_CORRUPT"), end.message());
        assertTrue(end.message().contains("worker " + to), end.message());
        assertTrue(end.message().contains("expert 0 of layer 1"), end.message());
        assertEquals(1, current().epoch());
        assertTrue(hosts.hot(from).contains(1, 0));
    }

    @Test
    void aWorkerLostWhileItInstallsStopsThePlanBeforeActivation() throws Exception {
        String from = hostOf(1, 0);
        String to = other(from);
        hosts.set(failing("install", to, ErrorReason.WORKER_LOST));
        Progress end = run(move(1, 0, from, to));
        assertEquals(Progress.State.FAILED, end.state());
        assertEquals(1, current().epoch());
    }

    @Test
    void aWorkerStartedAgainAfterItsInstallIsNotPlaced() throws Exception {
        String from = hostOf(1, 0);
        String to = other(from);
        hosts.set((call, worker) -> {
            if (call.equals("installed")) {
                hosts.restart(to);
            }
        });
        Progress end = run(move(1, 0, from, to));
        assertEquals(Progress.State.FAILED, end.state());
        assertTrue(end.message().contains("started again"), end.message());
        assertEquals(1, current().epoch());
    }

    @Test
    void aLostCompareAndSetEndsThePlanAndSaysByWhom() throws Exception {
        String from = hostOf(1, 0);
        Placement theirs = Placement.even(MODEL, 2, "move-bob-1", List.of("a", "b", "c"), TestWorkers.FACTS);
        hosts.set((call, worker) -> {
            if (call.equals("installed")) {
                cluster.placements().publish(theirs);
            }
        });
        Progress end = run(move(1, 0, from, other(from)));
        assertEquals(Progress.State.SUPERSEDED, end.state());
        assertTrue(end.message().contains("move-bob-1"), end.message());
        assertEquals(theirs, current());
    }

    @Test
    void aHostThatHeardOfANewerPlanEndsThePlanAndSaysOfWhich() throws Exception {
        String from = hostOf(1, 0);
        String to = other(from);
        PreparedPlan plan = move(1, 0, from, to);
        hosts.tell(to, new Hosts.Command(MODEL, 5, "plan-bob-9"));
        Progress end = run(plan);
        assertEquals(Progress.State.SUPERSEDED, end.state());
        assertTrue(end.message().contains("plan-bob-9"), end.message());
        assertEquals(1, current().epoch());
        Progress next = run(move(1, 0, from, to));
        assertEquals(Progress.State.DONE, next.state(), "the next plan uses an epoch above that: " + next.message());
        assertEquals(6, current().epoch());
    }

    @Test
    void aDrainThatDoesNotEndKeepsTheOldReplica() throws Exception {
        String from = hostOf(1, 0);
        hosts.stick();
        Progress end = run(move(1, 0, from, other(from)));
        assertEquals(Progress.State.FAILED, end.state());
        assertTrue(end.message().contains("stay in memory"), end.message());
        assertEquals(2, current().epoch());
        assertTrue(hosts.hot(from).contains(1, 0), "nothing was freed under open rows");
    }

    @Test
    void anEvictionThatNobodyConfirmsKeepsTheReplica() throws Exception {
        String from = hostOf(1, 0);
        String to = other(from);
        hosts.set((call, worker) -> {
            if (call.equals("evict")) {
                hosts.restart(to);
            }
        });
        Progress end = run(move(1, 0, from, to));
        assertEquals(Progress.State.FAILED, end.state());
        assertTrue(hosts.hot(from).contains(1, 0));
    }

    @Test
    void aWorkerLostAfterActivationHasNothingToFree() throws Exception {
        String from = hostOf(1, 0);
        hosts.set((call, worker) -> {
            if (call.equals("installed")) {
                cluster.directory().withdraw(from);
            }
        });
        Progress end = run(move(1, 0, from, other(from)));
        assertEquals(Progress.State.DONE, end.state(), end.message());
    }

    @Test
    void whatAFailedPlanLeftIsFreedByTheNext() throws Exception {
        String from = hostOf(1, 0);
        String to = other(from);
        PreparedPlan plan = move(1, 0, from, to);
        hosts.set(failing("hosting", to, ErrorReason.WORKER_LOST)); // at the confirmation
        assertEquals(Progress.State.FAILED, run(plan).state());
        assertTrue(hosts.hot(to).contains(1, 0), "installed and not placed");
        hosts.set((call, worker) -> {});
        String elsewhere = hostOf(2, 0);
        assertEquals(
                Progress.State.DONE,
                run(move(2, 0, elsewhere, other(elsewhere))).state());
        assertFalse(hosts.hot(to).contains(1, 0), "freed");
        assertEquals(List.of(from), current().replicas(1, 0));
        assertTrue(hosts.hot(from).contains(1, 0), "kept where it is placed");
    }

    @Test
    void aStalePlanIsRefused() throws Exception {
        String from = hostOf(1, 0);
        PreparedPlan old = move(1, 0, from, other(from));
        String elsewhere = hostOf(2, 0);
        run(move(2, 0, elsewhere, other(elsewhere)));
        var refusal = assertThrows(ClusterException.class, () -> run(old));
        assertEquals(ErrorReason.STALE_PLAN, refusal.reason());
        PreparedPlan fresh = move(1, 0, from, other(from));
        cluster.rules().change(MODEL, rules -> rules.withBan(on(1, 5, "a")));
        refusal = assertThrows(ClusterException.class, () -> run(fresh));
        assertTrue(refusal.text().contains("pins, bans"), refusal.text());
        refusal = assertThrows(ClusterException.class, () -> mover.kept("plan-of-another-router"));
        assertEquals(ErrorReason.STALE_PLAN, refusal.reason());
    }

    @Test
    void onePlanRunsAtATime() throws Exception {
        var entered = new CountDownLatch(1);
        var goOn = new CountDownLatch(1);
        String from = hostOf(1, 0);
        PreparedPlan first = move(1, 0, from, other(from));
        PreparedPlan second = move(2, 0, hostOf(2, 0), other(hostOf(2, 0)));
        hosts.set((call, worker) -> {
            if (call.equals("install")) {
                entered.countDown();
                await(goOn);
            }
        });
        var ended = new CountDownLatch(1);
        var _ = mover.start(first, "alice", "why", progress -> ended.countDown());
        await(entered);
        var refusal = assertThrows(ClusterException.class, () -> run(second));
        assertTrue(refusal.text().contains("of alice is being carried out"), refusal.text());
        goOn.countDown();
        await(ended);
    }

    @Test
    void aMinorityOfRoutersChangesNothing() throws Exception {
        var minority = new Mover(cluster, 2, hosts, digest -> Optional.empty(), new SystemClock(), random::nextLong);
        String from = hostOf(1, 0);
        PreparedPlan plan = minority.change(wish("move"), Set.of(on(1, 0, other(from))), Set.of(on(1, 0, from)));
        Progress end = run(minority, plan);
        assertEquals(Progress.State.FAILED, end.state());
        assertTrue(end.message().contains("1 of 2 routers"), end.message());
        assertEquals(List.of(), hosts.calls);
    }

    @Test
    void drainedAndLostWorkersAreEmptiedByRepairs() throws Exception {
        cluster.rules().change(MODEL, rules -> rules.withDraining("b"));
        Progress end = run(mover.plan(Wish.repairs("drain", "alice", MODEL)));
        assertEquals(Progress.State.DONE, end.state(), end.message());
        assertEquals(0, current().expertsOn("b").count());
        assertEquals(0, hosts.hot("b").count());
        cluster.rules().change(MODEL, rules -> rules.withoutDraining("b"));
        cluster.directory().withdraw("c");
        end = run(mover.plan(Wish.repairs("repair", "repair", MODEL)));
        assertEquals(Progress.State.DONE, end.state(), end.message());
        assertFalse(current().workerIds().contains("c"));
        assertTrue(current().replicaTable().stream().noneMatch(List::isEmpty));
    }

    @Test
    void afterEachOfManyRandomChangesEveryPlacedExpertIsInMemory() throws Exception {
        long seed = 20261125;
        var dice = new SplittableRandom(seed);
        for (int round = 0; round < 200; round++) {
            int layer = 1 + dice.nextInt(3);
            int expert = dice.nextInt(16);
            String from = hostOf(layer, expert);
            String to = List.of("a", "b", "c").get(dice.nextInt(3));
            try {
                PreparedPlan plan = dice.nextBoolean()
                        ? move(layer, expert, from, to)
                        : mover.change(wish("replicate"), Set.of(on(layer, expert, to)), Set.of());
                run(plan);
            } catch (ClusterException refused) {
                assertEquals(ErrorReason.INVALID_REQUEST, refused.reason(), "seed " + seed + ": " + refused.text());
            }
            for (String worker : current().workerIds()) {
                assertEquals(current().expertsOn(worker), hosts.hot(worker), "seed " + seed + ", round " + round);
            }
        }
    }

    private static FakeHosts.Trap failing(String wanted, String worker, ErrorReason reason) {
        return (call, id) -> {
            if (call.equals(wanted) && id.equals(worker)) {
                throw new ClusterException(reason, "worker " + id + " is gone");
            }
        };
    }

    private void assertRefused(String why, Set<ExpertOnWorker> added, Set<ExpertOnWorker> removed) {
        var refusal = assertThrows(ClusterException.class, () -> mover.change(wish("move"), added, removed));
        assertEquals(ErrorReason.INVALID_REQUEST, refusal.reason());
        assertTrue(refusal.text().contains(why), refusal.text());
    }

    private Progress run(PreparedPlan plan) throws InterruptedException {
        return run(mover, plan);
    }

    private static Progress run(Mover with, PreparedPlan plan) throws InterruptedException {
        var end = new AtomicReference<Progress>();
        var ended = new CountDownLatch(1);
        var _ = with.start(plan, "alice", "a test", progress -> {
            end.set(progress);
            ended.countDown();
        });
        await(ended);
        return Objects.requireNonNull(end.get());
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(20, TimeUnit.SECONDS), "nothing came within 20 s");
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    private PreparedPlan move(int layer, int expert, String from, String to) throws InterruptedException {
        return mover.change(wish("move"), Set.of(on(layer, expert, to)), Set.of(on(layer, expert, from)));
    }

    private static Wish wish(String verb) {
        return new Wish(verb, "alice", MODEL, PlanSettings.defaults(), 600, Set.of(), Set.of());
    }

    private Placement current() {
        return cluster.placements().current(MODEL).orElseThrow();
    }

    private String hostOf(int layer, int expert) {
        return current().replicas(layer, expert).getFirst();
    }

    private static String other(String worker) {
        return worker.equals("a") ? "b" : "a";
    }

    private static ExpertOnWorker on(int layer, int expert, String worker) {
        return new ExpertOnWorker(layer, expert, worker);
    }
}
