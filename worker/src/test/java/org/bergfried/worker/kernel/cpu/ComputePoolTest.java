package org.bergfried.worker.kernel.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class ComputePoolTest {
    @Test
    void runsEveryPartOfEveryRegionOnce() {
        try (var pool = new ComputePool(4)) {
            ComputePool.Lane lane = pool.open(ComputePool.Priority.TRUNK);
            for (int region = 0; region < 20_000; region++) {
                var runs = new AtomicIntegerArray(1 + region % 9);
                lane.run(runs.length(), (part, slot) -> runs.incrementAndGet(part));
                for (int part = 0; part < runs.length(); part++) {
                    assertEquals(1, runs.get(part), "region " + region + ", part " + part);
                }
            }
        }
    }

    @Test
    void theCallerTakesPartAndAPoolOfOneHasNoOtherThread() {
        try (var pool = new ComputePool(1)) {
            ComputePool.Lane lane = pool.open(ComputePool.Priority.TRUNK);
            var seen = ConcurrentHashMap.newKeySet();
            lane.run(10, (part, slot) -> seen.add(Thread.currentThread()));
            assertEquals(Set.of(Thread.currentThread()), seen);
        }
    }

    @Test
    void everyThreadTakesPart() {
        try (var pool = new ComputePool(3)) {
            ComputePool.Lane lane = pool.open(ComputePool.Priority.TRUNK);
            var barrier = new CyclicBarrier(3); // passed only if three threads are inside at a time
            var slots = new AtomicIntegerArray(3);
            lane.run(3, (part, slot) -> {
                slots.incrementAndGet(slot);
                await(barrier);
            });
            assertEquals("[1, 1, 1]", slots.toString());
        }
    }

    @Test
    void anExceptionOfAPartReachesTheCallerAfterTheOthersHaveEnded() {
        try (var pool = new ComputePool(3)) {
            ComputePool.Lane lane = pool.open(ComputePool.Priority.TRUNK);
            var failure = new IllegalStateException("part 5");
            var done = new AtomicInteger();
            var thrown = assertThrows(
                    IllegalStateException.class,
                    () -> lane.run(50, (part, slot) -> {
                        if (part == 5) {
                            throw failure;
                        }
                        done.incrementAndGet();
                    }));
            assertSame(failure, thrown);
            assertEquals(49, done.get());
            lane.run(50, (part, slot) -> done.incrementAndGet());
            assertEquals(99, done.get());
        }
    }

    @Test
    void idleThreadsTakeExpertPartsBeforeTrunkParts() throws InterruptedException {
        try (var pool = new ComputePool(2)) {
            ComputePool.Lane trunk = pool.open(ComputePool.Priority.TRUNK);
            ComputePool.Lane expert = pool.open(ComputePool.Priority.EXPERT);
            var order = new ConcurrentLinkedQueue<String>(); // what the pool's own thread does
            var bothCallersBusy = new CountDownLatch(2);
            var helperBusy = new CountDownLatch(1);
            var go = new CountDownLatch(1);
            Thread trunkCaller = caller(trunk, "trunk", 3, order, bothCallersBusy, helperBusy, go);
            await(helperBusy); // the helper holds a trunk part; now the expert job comes
            Thread expertCaller = caller(expert, "expert", 3, order, bothCallersBusy, helperBusy, go);
            await(bothCallersBusy);
            go.countDown();
            trunkCaller.join();
            expertCaller.join();
            List<String> taken = List.copyOf(order);
            assertEquals("trunk", taken.getFirst());
            assertTrue(taken.size() >= 2, taken.toString());
            assertEquals("expert", taken.get(1), taken.toString());
        }
    }

    /// Runs a region whose caller stays in its first part until the pool's thread has taken what it wants.
    private static Thread caller(
            ComputePool.Lane lane,
            String name,
            int parts,
            ConcurrentLinkedQueue<String> order,
            CountDownLatch callersBusy,
            CountDownLatch helperBusy,
            CountDownLatch go) {
        return Thread.ofPlatform()
                .start(() -> lane.run(parts, (part, slot) -> {
                    if (slot == 0) {
                        callersBusy.countDown();
                        await(go);
                        while (order.size() < 2) {
                            Thread.onSpinWait();
                        }
                    } else {
                        order.add(name);
                        helperBusy.countDown();
                        await(go);
                    }
                }));
    }

    @Test
    void lanesOfSeveralThreadsRunSideBySide() throws InterruptedException {
        try (var pool = new ComputePool(3)) {
            var totals = new long[4];
            var threads = new Thread[4];
            for (int t = 0; t < threads.length; t++) {
                int caller = t;
                threads[t] = Thread.ofPlatform().start(() -> {
                    ComputePool.Lane lane =
                            pool.open(caller % 2 == 0 ? ComputePool.Priority.EXPERT : ComputePool.Priority.TRUNK);
                    var sum = new AtomicInteger();
                    for (int region = 0; region < 5_000; region++) {
                        lane.run(5, (part, slot) -> sum.addAndGet(part));
                    }
                    totals[caller] = sum.get();
                    lane.close();
                });
            }
            for (Thread thread : threads) {
                thread.join();
            }
            var expected = new long[4];
            Arrays.fill(expected, 50_000);
            assertArrayEquals(expected, totals);
        }
    }

    @Test
    void closingEndsTheThreads() throws InterruptedException {
        var helper = new Thread[1];
        try (var pool = new ComputePool(2)) {
            ComputePool.Lane lane = pool.open(ComputePool.Priority.TRUNK);
            var barrier = new CyclicBarrier(2);
            lane.run(2, (part, slot) -> {
                if (slot == 1) {
                    helper[0] = Thread.currentThread();
                }
                await(barrier);
            });
            assertTrue(helper[0].isAlive());
        }
        assertFalse(helper[0].isAlive());
    }

    private static void await(CyclicBarrier barrier) {
        try {
            barrier.await();
        } catch (InterruptedException | BrokenBarrierException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
