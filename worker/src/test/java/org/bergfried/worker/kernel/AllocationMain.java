package org.bergfried.worker.kernel;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.bergfried.worker.kernel.check.Host;
import org.bergfried.worker.kernel.check.SplitMix;
import org.bergfried.worker.kernel.choice.Backends;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.Rows;

/// Measures in a JVM of its own what operations of the vector backend allocate. Prints a line for each case: its name
/// and the bytes that an operation allocates once the compiler is done.
final class AllocationMain {
    /// Bytes of an operation that are next to nothing.
    static final long BYTES_PER_OPERATION = 4096;

    private static final int WARMUP_ROUNDS = 40;
    private static final int ROUNDS = 20;
    private static final int ATTEMPTS_MAX = 3000;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private AllocationMain() {}

    static void main() {
        var main = new AllocationMain();
        for (ElementType type : ElementType.values()) {
            System.out.println("products-" + type.name() + " " + main.products(type, 5));
            System.out.println("product-" + type.name() + " " + main.products(type, 1));
        }
        System.out.println("attention " + main.attentionAndElementwise());
    }

    private long products(ElementType type, int n) {
        int columns = 1024;
        int rows = 256;
        var random = new SplitMix(1);
        try (Backend backend = Backends.create("vector", 1)) {
            Matrix w = backend.load(
                    type.integerCoded()
                            ? Host.coded(random, type, rows, columns)
                            : Host.tensor(type, rows, columns, new byte[(int) (rows * type.rowBytes(columns))]));
            Rows x = Host.rows(backend, columns, random.numbers(n * columns));
            Rows y = Host.rows(backend, rows, new float[n * rows]);
            Codes codes = backend.allocateCodes(n, columns);
            return leastBytes(2, () -> {
                backend.quantise(x, n, codes);
                backend.multiply(w, x, codes, n, y);
            });
        }
    }

    private long attentionAndElementwise() {
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
            var sums = backend.allocate(8L * 8 * columns);
            var poisoned = backend.allocate(4);
            var weight = Host.floats(backend, 0.5f);
            var first = Host.ints(backend, 0);
            var turns = Host.floats(backend, random.numbers(64));
            return leastBytes(7, () -> {
                backend.attention(shape, query, 1, view, y);
                backend.swiglu(query, y, 1, 8 * columns, y);
                backend.rmsNorm(y, 1, norm, 1e-6f, y);
                backend.add(y, query, 1, 8 * columns);
                backend.rope(y, 1, new RopeShape(8, columns, 64, true), first, turns);
                backend.rope(y, 1, new RopeShape(8, columns, 64, false), first, turns);
                backend.accumulate(y, weight, first, 1, 8 * columns, sums, poisoned);
            });
        }
    }

    private long leastBytes(int operations, Runnable round) {
        for (int i = 0; i < WARMUP_ROUNDS; i++) {
            round.run();
        }
        // Compilers finish in their own time: measured until a round is lean.
        long least = Long.MAX_VALUE;
        for (int attempt = 0; attempt < ATTEMPTS_MAX && least > BYTES_PER_OPERATION; attempt++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < ROUNDS; i++) {
                round.run();
            }
            long bytes = threads.getCurrentThreadAllocatedBytes() - before;
            least = Math.min(least, bytes / ROUNDS / operations);
        }
        return least;
    }
}
