package org.bergfried.router.placement.live;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// A virtual thread for each thing. An interrupt is handed on to all of them.
final class VirtualFork implements PlanRun.Fork {
    @Override
    public void all(List<PlanRun.Work> works) throws InterruptedException {
        var failure = new AtomicReference<@Nullable RuntimeException>();
        var threads = new ArrayList<Thread>();
        for (PlanRun.Work work : works) {
            threads.add(Thread.ofVirtual().name("plan-work").start(() -> runGuarded(work, failure)));
        }
        try {
            for (Thread thread : threads) {
                thread.join();
            }
        } catch (InterruptedException ended) {
            threads.forEach(Thread::interrupt);
            throw ended;
        }
        RuntimeException first = failure.get();
        if (first != null) {
            throw first;
        }
    }

    private static void runGuarded(PlanRun.Work work, AtomicReference<@Nullable RuntimeException> failure) {
        try {
            work.run();
        } catch (RuntimeException failed) {
            failure.compareAndSet(null, failed);
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }
}
