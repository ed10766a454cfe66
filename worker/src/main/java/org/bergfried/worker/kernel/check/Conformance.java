package org.bergfried.worker.kernel.check;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bergfried.worker.kernel.AttentionShape;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.CacheView;
import org.bergfried.worker.kernel.GateShape;
import org.bergfried.worker.kernel.Matrix;
import org.bergfried.worker.kernel.Product;
import org.bergfried.worker.kernel.RopeShape;
import org.bergfried.worker.tensor.Buffer;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.Rows;

/// One suite for every backend: each operation on generated shapes and data, compared with another backend's results
/// bit for bit (any NaN equals any NaN).
public final class Conformance {
    /// Runs an operation on a backend; what it draws depends on the generator alone. Returns its results as bits.
    private interface Case {
        Object[] run(Backend backend, SplitMix random);
    }

    private static final Map<String, Case> CASES = new LinkedHashMap<>();
    /// What the oracle gave, by operation and seed: it is the same in all runs, and slow.
    private static final Map<String, Object[]> EXPECTED = new ConcurrentHashMap<>();

    static {
        CASES.put("quantise", Conformance::quantise);
        for (ElementType type : ElementType.values()) {
            CASES.put("multiply " + type, (backend, random) -> multiply(backend, random, type));
            CASES.put("multiply " + type + " together", (backend, random) -> multiplyAll(backend, random, type));
            if (type.integerCoded()) {
                CASES.put("multiply " + type + " extremes", (backend, random) -> multiplyMost(backend, random, type));
            }
            CASES.put("embed " + type, (backend, random) -> embed(backend, random, type));
        }
        for (ElementType type : new ElementType[] {ElementType.F32, ElementType.F16, ElementType.BF16}) {
            CASES.put("rmsNorm " + type, (backend, random) -> rmsNorm(backend, random, type));
            CASES.put("addBias " + type, (backend, random) -> addBias(backend, random, type));
        }
        CASES.put("add", Conformance::add);
        CASES.put("swiglu", Conformance::swiglu);
        CASES.put("clampedSwiglu", Conformance::clampedSwiglu);
        CASES.put("scale", Conformance::scale);
        CASES.put("rope", Conformance::rope);
        CASES.put("attention", (backend, random) -> attention(backend, random, false));
        CASES.put("attentionWithin", (backend, random) -> attention(backend, random, true));
        CASES.put("gate", Conformance::gate);
        CASES.put("store and gather", Conformance::storeAndGather);
        CASES.put("gatherCodes", Conformance::gatherCodes);
        CASES.put("accumulate and combine", Conformance::accumulate);
    }

    private Conformance() {}

    /// What is compared, in order.
    public static List<String> operations() {
        return List.copyOf(CASES.keySet());
    }

    /// Where the candidate differs from the oracle: one line for each operation and seed.
    public static List<String> differences(Backend oracle, Backend candidate, int seeds) {
        return operations().stream()
                .flatMap(operation -> differences(operation, oracle, candidate, seeds).stream())
                .toList();
    }

    /// The same for one operation.
    public static List<String> differences(String operation, Backend oracle, Backend candidate, int seeds) {
        Case shapes = CASES.get(operation);
        if (shapes == null) {
            throw new IllegalArgumentException("nothing is compared for " + operation);
        }
        var differences = new ArrayList<String>();
        for (int seed = 0; seed < seeds; seed++) {
            int drawn = seed;
            Object[] expected = EXPECTED.computeIfAbsent(
                    operation + ", seed " + seed, key -> shapes.run(oracle, new SplitMix(drawn)));
            Object[] actual = shapes.run(candidate, new SplitMix(seed));
            if (!Arrays.deepEquals(expected, actual)) {
                differences.add(operation + ", seed " + seed);
            }
        }
        return differences;
    }

    private static Object[] quantise(Backend backend, SplitMix random) {
        int n = 1 + random.below(40);
        int columns = 32 * (1 + random.below(40));
        Rows x = rows(backend, random, n, columns);
        Codes codes = backend.allocateCodes(n, columns);
        backend.quantise(x, n, codes);
        return results(backend, codes);
    }

    private static Object[] multiply(Backend backend, SplitMix random, ElementType type) {
        int n = 1 + random.below(new int[] {1, 5, 40}[random.below(3)]);
        int rows = 1 + random.below(70);
        int columns = columns(random, type);
        Matrix w = backend.load(Generated.weights(random, type, rows, columns));
        Rows x = rows(backend, random, n, columns);
        Codes codes = backend.allocateCodes(n, (columns + 31) / 32 * 32);
        if (type.integerCoded()) {
            backend.quantise(x, n, codes);
        }
        Rows y = rows(backend, random, n, rows);
        backend.multiply(w, x, codes, n, y);
        return results(backend, y.buffer());
    }

    /// Sums of products that are as large as they can be: narrow integers must not overflow.
    private static Object[] multiplyMost(Backend backend, SplitMix random, ElementType type) {
        int n = 1 + random.below(7);
        int rows = 1 + random.below(40);
        int columns = columns(random, type);
        var same = new float[n * columns];
        Arrays.fill(same, random.below(2) == 0 ? 1.5f : -1.5f);
        Matrix w = backend.load(Generated.extremeWeights(random, type, rows, columns));
        Rows x = Host.rows(backend, columns, same);
        Codes codes = backend.allocateCodes(n, columns);
        backend.quantise(x, n, codes);
        Rows y = rows(backend, random, n, rows);
        backend.multiply(w, x, codes, n, y);
        return results(backend, y.buffer());
    }

    /// Products of heads: each reads and writes columns of its own.
    private static Object[] multiplyAll(Backend backend, SplitMix random, ElementType type) {
        int n = 1 + random.below(10);
        int heads = 1 + random.below(9);
        int rows = 1 + random.below(70);
        int columns = columns(random, type);
        Rows x = rows(backend, random, n, heads * columns);
        Rows y = rows(backend, random, n, heads * rows);
        var products = new ArrayList<Product>();
        for (int head = 0; head < heads; head++) {
            Codes codes = backend.allocateCodes(n, (columns + 31) / 32 * 32);
            Matrix w = backend.load(Generated.weights(random, type, rows, columns));
            products.add(new Product(w, x.right(head * columns), codes, y.right(head * rows)));
            if (type.integerCoded()) {
                backend.quantise(x.right(head * columns), n, codes);
            }
        }
        backend.multiplyAll(products, n);
        return results(backend, y.buffer());
    }

    private static Object[] embed(Backend backend, SplitMix random, ElementType type) {
        int n = 1 + random.below(10);
        int rows = 1 + random.below(70);
        int columns = columns(random, type);
        Matrix table = backend.load(Generated.weights(random, type, rows, columns));
        Rows y = rows(backend, random, n, columns);
        backend.embed(table, indices(backend, random, n, rows), n, y);
        return results(backend, y.buffer());
    }

    private static Object[] rmsNorm(Backend backend, SplitMix random, ElementType type) {
        int n = 1 + random.below(10);
        int columns = columns(random, type);
        Matrix weight = backend.load(Generated.weights(random, type, 1, columns));
        Rows x = rows(backend, random, n, columns);
        Rows y = random.below(2) == 0 ? x : rows(backend, random, n, columns);
        backend.rmsNorm(x, n, weight, 1e-6f, y);
        return results(backend, y.buffer());
    }

    private static Object[] addBias(Backend backend, SplitMix random, ElementType type) {
        int n = 1 + random.below(10);
        int columns = columns(random, type);
        Matrix bias = backend.load(Generated.weights(random, type, 1, columns));
        Rows x = rows(backend, random, n, columns);
        backend.addBias(x, n, bias);
        return results(backend, x.buffer());
    }

    private static Object[] add(Backend backend, SplitMix random) {
        int n = 1 + random.below(10);
        int columns = 1 + random.below(700);
        Rows x = rows(backend, random, n, columns);
        backend.add(x, rows(backend, random, n, columns), n, columns);
        return results(backend, x.buffer());
    }

    private static Object[] swiglu(Backend backend, SplitMix random) {
        int n = 1 + random.below(10);
        int columns = 1 + random.below(700);
        Rows gate = rows(backend, random, n, columns);
        Rows up = rows(backend, random, n, columns);
        Rows y = random.below(2) == 0 ? gate : rows(backend, random, n, columns);
        backend.swiglu(gate, up, n, columns, y);
        return results(backend, y.buffer());
    }

    private static Object[] clampedSwiglu(Backend backend, SplitMix random) {
        int n = 1 + random.below(10);
        int columns = 1 + random.below(300);
        Rows gate = rows(backend, random, n, columns);
        Rows up = rows(backend, random, n, columns);
        Rows y = random.below(2) == 0 ? gate : rows(backend, random, n, columns);
        backend.clampedSwiglu(gate, up, n, columns, 1.702f, 7f, y);
        return results(backend, y.buffer());
    }

    /// A factor for all rows, then one for each.
    private static Object[] scale(Backend backend, SplitMix random) {
        int n = 1 + random.below(10);
        int columns = 1 + random.below(300);
        Rows x = rows(backend, random, n, columns);
        backend.scale(x, n, columns, random.number());
        backend.scaleBySigmoid(x, n, columns, rows(backend, random, n, 1));
        return results(backend, x.buffer());
    }

    private static Object[] rope(Backend backend, SplitMix random) {
        int n = 1 + random.below(10);
        int rotary = 2 * (1 + random.below(40));
        var shape = new RopeShape(1 + random.below(5), rotary + random.below(9), rotary, random.below(2) == 0);
        int positions = 1 + random.below(20);
        Rows x = rows(backend, random, n, shape.heads() * shape.headStride());
        Buffer table = Host.floats(backend, random.numbers(positions * rotary));
        backend.rope(x, n, shape, indices(backend, random, n, positions), table);
        return results(backend, x.buffer());
    }

    private static Object[] attention(Backend backend, SplitMix random, boolean within) {
        boolean latent = random.below(2) == 0; // one key head whose first columns are the values
        int kvHeads = latent ? 1 : 1 + random.below(3);
        int heads = kvHeads * (1 + random.below(6));
        int keyColumns = random.below(3) == 0 ? 64 : 1 + random.below(100);
        int valueColumns = latent ? 1 + random.below(keyColumns) : 1 + random.below(100);
        int before = random.below(4);
        int valueOffset = latent ? before : before + kvHeads * keyColumns;
        var shape = new AttentionShape(heads, kvHeads, keyColumns, valueColumns, before, valueOffset, random.number());
        int rowStride = valueOffset + Math.max(kvHeads * keyColumns, kvHeads * valueColumns) + random.below(5);
        int pageRows = new int[] {32, 32, 7, 300}[random.below(4)];
        int n = 1 + random.below(4);
        int positionMax = random.below(random.below(3) == 0 ? 700 : 60);
        int pagesPerSequence = positionMax / pageRows + 1 + random.below(2);
        int sequences = 1 + random.below(3);
        int pages = pagesPerSequence * sequences;
        var positions = new int[n];
        for (int i = 0; i < n; i++) {
            positions[i] = random.below(positionMax + 1);
        }
        var table = new int[pages];
        for (int i = 0; i < pages; i++) { // a permutation: 7 i mod pages where that is one
            table[i] = pages % 7 == 0 ? pages - 1 - i : 7 * i % pages;
        }
        int layerOffset = random.below(9);
        long pageStride = (long) pageRows * rowStride + random.below(9);
        var view = new CacheView(
                Host.floats(backend, Generated.data(random, (int) (layerOffset + pages * pageStride))),
                layerOffset,
                pageStride,
                rowStride,
                pageRows,
                Host.ints(backend, table),
                pagesPerSequence,
                indices(backend, random, n, sequences),
                Host.ints(backend, positions),
                positionMax);
        Rows query = rows(backend, random, n, heads * keyColumns);
        Rows y = rows(backend, random, n, heads * valueColumns);
        if (within) {
            Matrix sinks =
                    random.below(2) == 0 ? null : backend.load(Generated.weights(random, ElementType.BF16, 1, heads));
            backend.attentionWithin(shape, random.below(400), sinks, query, n, view, y);
        } else {
            backend.attention(shape, query, n, view, y);
        }
        return results(backend, y.buffer());
    }

    private static Object[] gate(Backend backend, SplitMix random) {
        int groups = 1 + random.below(4);
        int perGroup = 2 + random.below(80);
        int groupsChosen = 1 + random.below(groups);
        GateShape.Scoring[] scorings = GateShape.Scoring.values();
        var shape = new GateShape(
                scorings[random.below(scorings.length)],
                groups * perGroup,
                1 + random.below(Math.min(8, groupsChosen * perGroup)),
                groups,
                groupsChosen,
                random.below(2) == 0 ? GateShape.GroupScore.MAXIMUM : GateShape.GroupScore.BEST_TWO,
                random.below(2) == 0,
                random.below(2) == 0 ? 1e-20f : 0f,
                2.5f);
        int n = 1 + random.below(5);
        Rows scores = rows(backend, random, n, shape.experts());
        Matrix bias = random.below(2) == 0
                ? null
                : backend.load(Generated.weights(random, ElementType.F32, 1, shape.experts()));
        Buffer ids = backend.allocate(4L * n * shape.chosen());
        Buffer weights = backend.allocate(4L * n * shape.chosen());
        backend.gate(shape, scores, bias, n, ids, weights);
        return new Object[] {Host.ints(backend, ids), Host.bits(Host.floats(backend, weights))};
    }

    private static Object[] storeAndGather(Backend backend, SplitMix random) {
        int n = 1 + random.below(10);
        int columns = 1 + random.below(100);
        int rowStride = columns + random.below(9);
        Rows x = rows(backend, random, n, columns);
        Buffer cache = backend.allocate(4L * (3 + 20 * rowStride));
        var slots = new long[n];
        Arrays.setAll(slots, i -> 19 - 2L * i);
        backend.store(x, n, columns, cache, 3, rowStride, Host.longs(backend, slots));
        Rows y = rows(backend, random, n, columns);
        backend.gather(x, indices(backend, random, n, n), n, columns, y);
        return new Object[] {results(backend, cache), results(backend, y.buffer())};
    }

    private static Object[] gatherCodes(Backend backend, SplitMix random) {
        int n = 1 + random.below(10);
        int columns = 32 * (1 + random.below(9));
        Codes codes = backend.allocateCodes(n, columns);
        backend.quantise(rows(backend, random, n, columns), n, codes);
        Codes gathered = backend.allocateCodes(n, columns);
        backend.gatherCodes(codes, indices(backend, random, n, n), n, gathered);
        return results(backend, gathered);
    }

    private static Object[] accumulate(Backend backend, SplitMix random) {
        int n = 1 + random.below(6);
        int rows = n + random.below(4);
        int columns = 1 + random.below(300);
        Buffer sums = backend.allocate(8L * rows * columns);
        Buffer poisoned = backend.allocate(4L * rows);
        var index = new int[n];
        Arrays.setAll(index, i -> rows - 1 - i);
        for (int term = 0; term < 3; term++) {
            Rows y = rows(backend, random, n, columns);
            Buffer weights = Host.floats(backend, random.numbers(n));
            backend.accumulate(y, weights, Host.ints(backend, index), n, columns, sums, poisoned);
        }
        Rows out = rows(backend, random, rows, columns);
        backend.combine(sums, rows, columns, out);
        return new Object[] {Host.longs(backend, sums), Host.ints(backend, poisoned), results(backend, out.buffer())};
    }

    private static int columns(SplitMix random, ElementType type) {
        int block = type.blockColumns() > 1 ? type.blockColumns() : new int[] {1, 1, 32}[random.below(3)];
        return block * (1 + random.below((random.below(2) == 0 ? 256 : 1280) / block));
    }

    /// Rows at an odd place of a buffer, with gaps, full of data.
    private static Rows rows(Backend backend, SplitMix random, int n, int columns) {
        int offset = random.below(9);
        int stride = columns + random.below(9);
        return new Rows(Host.floats(backend, Generated.data(random, offset + n * stride)), offset, stride);
    }

    private static Buffer indices(Backend backend, SplitMix random, int n, int bound) {
        var index = new int[n];
        for (int i = 0; i < n; i++) {
            index[i] = random.below(bound);
        }
        return Host.ints(backend, index);
    }

    private static Object[] results(Backend backend, Codes codes) {
        return new Object[] {Host.bytes(backend, codes.q()), results(backend, codes.scales())};
    }

    private static Object[] results(Backend backend, Buffer buffer) {
        return new Object[] {Host.bits(Host.floats(backend, buffer))};
    }
}
