package org.bergfried.worker.kernel;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.bergfried.worker.kernel.choice.Backends;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.Rows;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Operations of a known shape allocate next to nothing: kernels whose vectors were boxed would allocate megabytes.
final class AllocationTest {
    private static final int WARMUP_ROUNDS = 40;
    private static final int ROUNDS = 20;
    private static final int ATTEMPTS_MAX = 3000;
    private static final long BYTES_PER_OPERATION = 4096;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @ParameterizedTest
    @EnumSource(ElementType.class)
    void productsAllocateNextToNothing(ElementType type) {
        int columns = 1024;
        int rows = 256;
        var random = new SplitMix(1);
        try (Backend backend = Backends.create("vector", 1)) {
            Matrix w = backend.load(
                    type.integerCoded()
                            ? Host.coded(random, type, rows, columns)
                            : Host.tensor(type, rows, columns, new byte[(int) (rows * type.rowBytes(columns))]));
            Rows x = Host.rows(backend, columns, random.numbers(5 * columns));
            Rows y = Host.rows(backend, rows, new float[5 * rows]);
            Codes codes = backend.allocateCodes(5, columns);
            assertAllocatesLittle(2, () -> {
                backend.quantise(x, 5, codes);
                backend.multiply(w, x, codes, 5, y);
            });
        }
    }

    @Test
    void attentionAndElementwiseOperationsAllocateNextToNothing() {
        int positions = 300;
        int columns = 128;
        var random = new SplitMix(1);
        try (Backend backend = Backends.create("vector", 1)) {
            var view = new CacheView(
                    Host.floats(backend, random.numbers(positions * columns)),
                    0,
                    (long) positions * columns,
                    columns,
                    positions,
                    Host.ints(backend, 0),
                    1,
                    Host.ints(backend, 0),
                    Host.ints(backend, positions - 1),
                    positions - 1);
            var shape = new AttentionShape(8, 1, columns, columns, 0, 0, 0.1f);
            Rows query = Host.rows(backend, 8 * columns, random.numbers(8 * columns));
            Rows y = Host.rows(backend, 8 * columns, new float[8 * columns]);
            Matrix norm = backend.load(Host.tensor(1, 8 * columns, random.numbers(8 * columns)));
            assertAllocatesLittle(4, () -> {
                backend.attention(shape, query, 1, view, y);
                backend.swiglu(query, y, 1, 8 * columns, y);
                backend.rmsNorm(y, 1, norm, 1e-6f, y);
                backend.add(y, query, 1, 8 * columns);
            });
        }
    }

    private void assertAllocatesLittle(int operations, Runnable round) {
        for (int i = 0; i < WARMUP_ROUNDS; i++) {
            round.run();
        }
        // Compilers finish in their own time: measured until a round is lean.
        long least = Long.MAX_VALUE;
        for (int attempt = 0; attempt < ATTEMPTS_MAX && least > operations * BYTES_PER_OPERATION; attempt++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < ROUNDS; i++) {
                round.run();
            }
            least = Math.min(least, (threads.getCurrentThreadAllocatedBytes() - before) / ROUNDS);
        }
        assertTrue(
                least <= operations * BYTES_PER_OPERATION,
                "a round of " + operations + " operations allocates " + least + " bytes");
    }
}
