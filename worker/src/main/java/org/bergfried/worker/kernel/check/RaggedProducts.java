package org.bergfried.worker.kernel.check;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.Matrix;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.Rows;

/// Products at the sizes where kernels end tiles, segments and groups of rows: one less, just as many, one more.
public final class RaggedProducts {
    private static final int[] COLUMNS = {32, 64, 96, 192, 256, 288, 2048 + 32};
    private static final int[] ROWS = {1, 31, 32, 33};
    private static final int BATCH_MAX = 40;

    /// What the oracle gave: it is the same in all runs, and slow.
    private static final Map<Size, int[]> EXPECTED = new ConcurrentHashMap<>();

    private RaggedProducts() {}

    /// Sizes of a product. `w`: `[rows, columns]`; `x`: `[n, columns]`.
    private record Size(ElementType type, int rows, int columns, int n) {
        long seed() {
            return (type.name().hashCode() & 0xffffL) * 1_000_000_000L + rows * 1_000_000L + columns * 100L + n;
        }

        @Override
        public String toString() {
            return "multiply " + type + ", " + rows + " x " + columns + ", " + n + " rows of x";
        }
    }

    /// Where the candidate differs from the oracle: one line for each type and size.
    ///
    /// @param types of the weights.
    public static List<String> differences(Backend oracle, Backend candidate, List<ElementType> types) {
        return types.stream()
                .flatMap(type -> sizes(type).stream())
                .filter(size -> !Arrays.equals(
                        EXPECTED.computeIfAbsent(size, each -> product(oracle, each)), product(candidate, size)))
                .map(Size::toString)
                .toList();
    }

    /// Each pair of rows and columns with some batches, one pair with all.
    private static List<Size> sizes(ElementType type) {
        var sizes = new ArrayList<Size>();
        for (int columns : COLUMNS) {
            for (int rows : ROWS) {
                int turn = sizes.size();
                for (int n : new int[] {1, 2 + turn % 7, 9 + turn % 23, 33, 34 + turn % 6}) {
                    sizes.add(new Size(type, rows, columns, n));
                }
            }
        }
        for (int n = 1; n <= BATCH_MAX; n++) {
            sizes.add(new Size(type, 33, 96, n));
        }
        for (int n : new int[] {1, 5, BATCH_MAX}) { // of FP8, more than one block of rows with a scale of their own
            sizes.add(new Size(type, 161, 288, n));
        }
        sizes.removeIf(size -> size.columns() % type.blockColumns() != 0);
        return sizes;
    }

    private static int[] product(Backend backend, Size size) {
        var random = new SplitMix(size.seed());
        Codes codes = backend.allocateCodes(size.n(), size.columns());
        Rows x = Host.rows(backend, size.columns(), Generated.data(random, size.n() * size.columns()));
        Rows y = Host.rows(backend, size.rows(), new float[size.n() * size.rows()]);
        try (Matrix w = backend.load(Generated.weights(random, size.type(), size.rows(), size.columns()))) {
            if (size.type().integerCoded()) {
                backend.quantise(x, size.n(), codes);
            }
            backend.multiply(w, x, codes, size.n(), y);
            return Host.bits(Host.floats(backend, y.buffer()));
        } finally {
            backend.free(y.buffer());
            backend.free(x.buffer());
            backend.free(codes.q());
            backend.free(codes.scales());
        }
    }
}
