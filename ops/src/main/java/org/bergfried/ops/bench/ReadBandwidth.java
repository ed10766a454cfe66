package org.bergfried.ops.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.bergfried.contract.Clock;

/// How fast compute threads read memory that is in no cache: the limit of decoding one stream.
final class ReadBandwidth {
    private static final long BYTES = 1L << 30;
    private static final int PASSES = 3;

    private ReadBandwidth() {}

    /// The best of some passes over 1 GiB, in bytes per second.
    static double measure(int threads, Clock clock) {
        try (Arena arena = Arena.ofShared();
                var pool = Executors.newFixedThreadPool(threads)) {
            MemorySegment memory = arena.allocate(BYTES, 64);
            memory.fill((byte) 1); // pages exist
            double best = 0;
            for (int pass = 0; pass < PASSES; pass++) {
                long begin = clock.nanoTime();
                List<Future<Long>> sums = new ArrayList<>();
                for (int thread = 0; thread < threads; thread++) {
                    long from = BYTES / threads * thread;
                    sums.add(pool.submit(() -> sum(memory.asSlice(from, BYTES / threads))));
                }
                long total = 0;
                for (Future<Long> sum : sums) {
                    total += sum.get();
                }
                if (total == 0) {
                    throw new IllegalStateException("a sum of ones is 0");
                }
                best = Math.max(best, BYTES / ((clock.nanoTime() - begin) / 1e9));
            }
            return best;
        } catch (InterruptedException | ExecutionException failure) {
            throw new IllegalStateException("the read bandwidth could not be measured", failure);
        }
    }

    private static long sum(MemorySegment part) {
        long a = 0;
        long b = 0;
        long c = 0;
        long d = 0;
        for (long i = 0; i + 32 <= part.byteSize(); i += 32) {
            a += part.get(ValueLayout.JAVA_LONG, i);
            b += part.get(ValueLayout.JAVA_LONG, i + 8);
            c += part.get(ValueLayout.JAVA_LONG, i + 16);
            d += part.get(ValueLayout.JAVA_LONG, i + 24);
        }
        return a + b + c + d;
    }
}
