package org.bergfried.worker.tool;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntToLongFunction;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.kernel.choice.Peaks;
import org.bergfried.worker.kernel.cpu.PeakLoops;

/// What so many compute threads of this machine can do at most: the limits that an engine is measured against.
///
/// @param threads  that took part.
/// @param readRate bytes per second of memory that is in no cache.
/// @param dotRate  multiply-adds of integers per second, as integer-coded weights need them.
/// @param fmaRate  multiply-adds of float32 numbers per second.
/// @param how      which loops found it.
public record MachineLimits(int threads, double readRate, double dotRate, double fmaRate, String how) {
    private static final long READ_BYTES = 1L << 30;
    private static final int PASSES = 7; // the best one counts: others share the machine
    private static final long TRIAL_ROUNDS = 1 << 16;
    private static final double PASS_SECONDS = 0.04;

    /// Measures for about a second and takes 1 GiB of memory meanwhile.
    ///
    /// @throws ClusterException if the JVM has no vectors and there are no kernels in C.
    public static MachineLimits measure(int threads, Clock clock) {
        PeakLoops loops = Peaks.loops()
                .orElseThrow(() -> new ClusterException(
                        ErrorReason.INVALID_REQUEST,
                        "the machine's limits need the JVM option --add-modules jdk.incubator.vector"));
        try (Arena arena = Arena.ofShared();
                var pool = Executors.newFixedThreadPool(threads)) {
            var run = new Run(pool, threads, clock);
            MemorySegment memory = arena.allocate(READ_BYTES, 64);
            long part = READ_BYTES / threads;
            run.once(thread -> fill(memory.asSlice(thread * part, part)));
            double read = run.best(thread -> {
                long _ = loops.readAll(memory.asSlice(thread * part, part));
                return part;
            });
            return new MachineLimits(threads, read, run.rate(loops::dots), run.rate(loops::fmas), loops.title());
        }
    }

    private static long fill(MemorySegment part) {
        part.fill((byte) 1); // so that its pages exist
        return part.byteSize();
    }

    /// A loop that is asked for rounds and tells the multiply-adds that they were.
    private interface Loop {
        long run(long rounds);
    }

    /// Runs the same work on all threads at a time.
    private record Run(ExecutorService pool, int threads, Clock clock) {
        /// Multiply-adds per second of all threads.
        double rate(Loop loop) {
            double perRound = loop.run(TRIAL_ROUNDS) / (double) TRIAL_ROUNDS;
            double trial = best(thread -> loop.run(TRIAL_ROUNDS)) / perRound / threads;
            long rounds = Math.max(TRIAL_ROUNDS, (long) (trial * PASS_SECONDS));
            return best(thread -> loop.run(rounds));
        }

        /// The most of some passes: what all threads did together, per second.
        double best(IntToLongFunction each) {
            double best = 0;
            for (int pass = 0; pass < PASSES; pass++) {
                long begin = clock.nanoTime();
                long done = once(each);
                best = Math.max(best, done / ((clock.nanoTime() - begin) / 1e9));
            }
            return best;
        }

        long once(IntToLongFunction each) {
            List<Future<Long>> parts = new ArrayList<>();
            for (int thread = 0; thread < threads; thread++) {
                int number = thread;
                parts.add(pool.submit(() -> each.applyAsLong(number)));
            }
            try {
                long done = 0;
                for (Future<Long> part : parts) {
                    done += part.get();
                }
                return done;
            } catch (InterruptedException | ExecutionException failure) {
                throw new IllegalStateException("the machine's limits could not be measured", failure);
            }
        }
    }
}
