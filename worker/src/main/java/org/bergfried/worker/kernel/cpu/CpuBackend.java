package org.bergfried.worker.kernel.cpu;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import org.bergfried.worker.kernel.AttentionShape;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.CacheView;
import org.bergfried.worker.kernel.GateShape;
import org.bergfried.worker.kernel.Matrix;
import org.bergfried.worker.kernel.Product;
import org.bergfried.worker.kernel.RopeShape;
import org.bergfried.worker.kernel.Shapes;
import org.bergfried.worker.kernel.WeightSize;
import org.bergfried.worker.tensor.Buffer;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.Rows;
import org.bergfried.worker.tensor.StoredTensor;
import org.jspecify.annotations.Nullable;

/// A backend on the CPU: validates an operation, divides it among the threads of a pool, and has it computed by
/// [Kernels] before it returns, so `await` has nothing to wait for.
///
/// Matrices and buffers of one CPU backend may be used by another one of the same process. Operations are called by
/// one thread at a time; `load`, `allocate` and `free` by any.
public final class CpuBackend implements Backend {
    /// What weights take: integer-coded types are re-laid into tiles, float types stay where they are if that is off
    /// the heap.
    public static final WeightSize WEIGHTS = HostMatrix::residentBytes;

    /// Work below this many multiply-adds (or the like) is not worth a second thread.
    static final long WORK_MIN = 1 << 16;

    private static final int PARTS_PER_THREAD = 4; // so that a slow thread gets fewer of them

    private final Kernels kernels;
    private final ComputePool.Lane lane;
    private final boolean ownsPool;
    private final WeightLoader loader;
    private final Scratch shared = new Scratch();
    private final Scratch[] scratch; // one a thread, all beside `shared`
    private final Scratch[] alone; // one a thread, each beside one of its own
    private final List<HostBuffer> buffers = new ArrayList<>();
    private final List<HostMatrix> matrices = new ArrayList<>();

    /// A backend whose operations run on `pool` with the given priority. The pool outlives the backend.
    ///
    /// @param onRead hears of bytes of files as weights are loaded, on any thread.
    public CpuBackend(Kernels kernels, ComputePool pool, ComputePool.Priority priority, LongConsumer onRead) {
        this(kernels, pool, priority, onRead, false);
    }

    private CpuBackend(
            Kernels kernels, ComputePool pool, ComputePool.Priority priority, LongConsumer onRead, boolean ownsPool) {
        this.kernels = kernels;
        this.ownsPool = ownsPool;
        this.lane = pool.open(priority);
        this.loader = new WeightLoader(pool, onRead);
        scratch = new Scratch[pool.threads()];
        alone = new Scratch[pool.threads()];
        for (int slot = 0; slot < scratch.length; slot++) {
            scratch[slot] = new Scratch(shared);
            alone[slot] = new Scratch(new Scratch());
        }
    }

    /// A backend with a pool of its own, which ends with it.
    public static CpuBackend alone(Kernels kernels, int threads) {
        return new CpuBackend(kernels, new ComputePool(threads), ComputePool.Priority.TRUNK, bytes -> {}, true);
    }

    @Override
    public String name() {
        return kernels.name();
    }

    @Override
    public Matrix load(StoredTensor tensor) {
        HostMatrix matrix = loader.load(tensor);
        synchronized (matrices) {
            matrices.removeIf(HostMatrix::closed);
            matrices.add(matrix);
        }
        return matrix;
    }

    @Override
    public WeightSize weightSize() {
        return WEIGHTS;
    }

    @Override
    public Buffer allocate(long bytes) {
        var buffer = new HostBuffer(bytes);
        synchronized (buffers) {
            buffers.add(buffer);
        }
        return buffer;
    }

    @Override
    public void free(Buffer buffer) {
        synchronized (buffers) {
            if (!buffers.remove((HostBuffer) buffer)) {
                throw new IllegalArgumentException("a buffer of another backend, or freed before");
            }
        }
        ((HostBuffer) buffer).free();
    }

    @Override
    public void write(MemorySegment source, Buffer target, long targetByteOffset) {
        MemorySegment.copy(source, 0, HostBuffer.segment(target), targetByteOffset, source.byteSize());
    }

    @Override
    public void read(Buffer source, long sourceByteOffset, MemorySegment target) {
        MemorySegment.copy(HostBuffer.segment(source), sourceByteOffset, target, 0, target.byteSize());
    }

    @Override
    public void await() {
        // Every operation is done when its call returns.
    }

    @Override
    public void embed(Matrix table, Buffer ids, int n, Rows y) {
        Shapes.rows("y", y, n, table.columns());
        Contents.indices("ids", ids, n, table.rows());
        MemorySegment idSegment = HostBuffer.segment(ids);
        divide(
                n,
                table.columns(),
                (from, to, slot) -> kernels.embed((HostMatrix) table, idSegment, y, from, to, scratch[slot]));
    }

    @Override
    public void quantise(Rows x, int n, Codes codes) {
        Shapes.codes(codes, n);
        Shapes.rows("x", x, n, codes.columns());
        divide(n, 2L * codes.columns(), (from, to, slot) -> kernels.quantise(x, codes, from, to, scratch[slot]));
    }

    @Override
    public void multiply(Matrix w, Rows x, Codes codes, int n, Rows y) {
        var matrix = (HostMatrix) w;
        Shapes.product(w, x, codes, n, y);
        kernels.reservePrepared(matrix, n, shared);
        divide(n, w.columns(), (from, to, slot) -> kernels.prepare(matrix, x, codes, n, from, to, scratch[slot]));
        if (n > 0) {
            divideTiles(
                    w.rows(),
                    (long) n * w.columns(),
                    (from, to, slot) -> kernels.multiply(matrix, x, codes, n, y, from, to, scratch[slot]));
        }
    }

    /// One product is a unit of work, computed whole by one thread in working memory of its own.
    @Override
    public void multiplyAll(List<Product> products, int n) {
        long work = 0;
        for (Product product : products) {
            Shapes.product(product.w(), product.x(), product.codes(), n, product.y());
            work = Math.max(work, (long) n * product.w().columns() * product.w().rows());
        }
        divide(products.size(), work, (from, to, slot) -> {
            for (int i = from; i < to; i++) {
                multiplyAlone(products.get(i), n, alone[slot]);
            }
        });
    }

    private void multiplyAlone(Product product, int n, Scratch own) {
        var matrix = (HostMatrix) product.w();
        kernels.reservePrepared(matrix, n, own.shared());
        kernels.prepare(matrix, product.x(), product.codes(), n, 0, n, own);
        kernels.multiply(matrix, product.x(), product.codes(), n, product.y(), 0, matrix.rows(), own);
    }

    @Override
    public void rmsNorm(Rows x, int n, Matrix weight, float epsilon, Rows y) {
        HostMatrix row = floatRow("norm", weight);
        Shapes.rows("x", x, n, row.columns());
        Shapes.rows("y", y, n, row.columns());
        divide(n, 2L * row.columns(), (from, to, slot) -> kernels.rmsNorm(x, row, epsilon, y, from, to, scratch[slot]));
    }

    @Override
    public void add(Rows x, Rows y, int n, int columns) {
        Shapes.rows("x", x, n, columns);
        Shapes.rows("y", y, n, columns);
        divide(n, columns, (from, to, slot) -> kernels.add(x, y, columns, from, to));
    }

    @Override
    public void addBias(Rows x, int n, Matrix bias) {
        HostMatrix row = floatRow("bias", bias);
        Shapes.rows("x", x, n, row.columns());
        divide(n, row.columns(), (from, to, slot) -> kernels.addBias(x, row, from, to));
    }

    @Override
    public void swiglu(Rows gate, Rows up, int n, int columns, Rows y) {
        Shapes.rows("gate", gate, n, columns);
        Shapes.rows("up", up, n, columns);
        Shapes.rows("y", y, n, columns);
        divide(n, 8L * columns, (from, to, slot) -> kernels.swiglu(gate, up, columns, y, from, to, scratch[slot]));
    }

    @Override
    public void clampedSwiglu(Rows gate, Rows up, int n, int columns, float alpha, float limit, Rows y) {
        Shapes.rows("gate", gate, n, columns);
        Shapes.rows("up", up, n, columns);
        Shapes.rows("y", y, n, columns);
        divide(
                n,
                8L * columns,
                (from, to, slot) -> kernels.clampedSwiglu(gate, up, columns, alpha, limit, y, from, to));
    }

    @Override
    public void scale(Rows x, int n, int columns, float factor) {
        Shapes.rows("x", x, n, columns);
        divide(n, columns, (from, to, slot) -> kernels.scale(x, columns, factor, from, to));
    }

    @Override
    public void scaleBySigmoid(Rows x, int n, int columns, Rows logits) {
        Shapes.rows("x", x, n, columns);
        Shapes.rows("logits", logits, n, 1);
        divide(n, columns, (from, to, slot) -> kernels.scaleBySigmoid(x, columns, logits, from, to));
    }

    @Override
    public void rope(Rows x, int n, RopeShape shape, Buffer positions, Buffer table) {
        Shapes.rope(shape);
        Shapes.rows("x", x, n, (shape.heads() - 1) * shape.headStride() + shape.rotaryColumns());
        int columns = shape.rotaryColumns();
        Contents.indices("positions", positions, n, table.byteSize() / Float.BYTES / Math.max(1, columns));
        MemorySegment positionSegment = HostBuffer.segment(positions);
        MemorySegment tableSegment = HostBuffer.segment(table);
        divide(
                n,
                2L * shape.heads() * columns,
                (from, to, slot) -> kernels.rope(x, shape, positionSegment, tableSegment, from, to));
    }

    @Override
    public void store(Rows x, int n, int columns, Buffer cache, long cacheOffset, int rowStride, Buffer slots) {
        Shapes.rows("x", x, n, columns);
        Shapes.atLeast("slots", slots, (long) n * Long.BYTES);
        RowCopies.store(x, n, columns, cache, cacheOffset, rowStride, slots);
    }

    @Override
    public void attention(AttentionShape shape, Rows query, int n, CacheView cache, Rows y) {
        Shapes.attention(shape, query, n, cache, y);
        Contents.positions(cache, n);
        long work = (cache.positionMax() + 1L) * (shape.keyColumns() + shape.valueColumns());
        divide(
                n * shape.heads(),
                work,
                (from, to, slot) -> kernels.attention(shape, query, cache, y, from, to, scratch[slot]));
    }

    @Override
    public void attentionWithin(
            AttentionShape shape, int window, @Nullable Matrix sinks, Rows query, int n, CacheView cache, Rows y) {
        Shapes.attention(shape, query, n, cache, y);
        Contents.positions(cache, n);
        HostMatrix sinkRow = sinks == null ? null : floatRow("sinks", sinks);
        if (sinkRow != null) {
            Shapes.columns("sinks", sinkRow.columns(), shape.heads());
        }
        long seen = window == 0 ? cache.positionMax() + 1L : Math.min(window, cache.positionMax() + 1L);
        divide(
                n * shape.heads(),
                seen * (shape.keyColumns() + shape.valueColumns()),
                (from, to, slot) ->
                        kernels.attentionWithin(shape, window, sinkRow, query, cache, y, from, to, scratch[slot]));
    }

    @Override
    public void gate(GateShape shape, Rows scores, @Nullable Matrix bias, int n, Buffer ids, Buffer weights) {
        Shapes.gate(shape);
        Shapes.rows("scores", scores, n, shape.experts());
        Shapes.atLeast("ids", ids, (long) n * shape.chosen() * Integer.BYTES);
        Shapes.atLeast("weights", weights, (long) n * shape.chosen() * Float.BYTES);
        HostMatrix biasRow = bias == null ? null : floatRow("bias", bias);
        if (biasRow != null) {
            Shapes.columns("bias", biasRow.columns(), shape.experts());
        }
        MemorySegment idSegment = HostBuffer.segment(ids);
        MemorySegment weightSegment = HostBuffer.segment(weights);
        divide(
                n,
                (8L + shape.chosen()) * shape.experts(),
                (from, to, slot) ->
                        kernels.gate(shape, scores, biasRow, idSegment, weightSegment, from, to, scratch[slot]));
    }

    @Override
    public void gather(Rows x, Buffer index, int n, int columns, Rows y) {
        Shapes.atLeast("index", index, (long) n * Integer.BYTES);
        Shapes.rows("y", y, n, columns);
        RowCopies.gather(x, index, n, columns, y);
    }

    @Override
    public void gatherCodes(Codes x, Buffer index, int n, Codes y) {
        Shapes.columns("gathered codes", y.columns(), x.columns());
        Shapes.codes(y, n);
        Contents.indices("index", index, n, x.columns() == 0 ? 0 : x.q().byteSize() / x.columns());
        RowCopies.gatherCodes(x, index, n, y);
    }

    @Override
    public void accumulate(Rows y, Buffer weights, Buffer index, int n, int columns, Buffer sums, Buffer poisoned) {
        Shapes.rows("y", y, n, columns);
        Shapes.atLeast("weights", weights, (long) n * Float.BYTES);
        Contents.indices("index", index, n, poisoned.byteSize() / Integer.BYTES);
        MemorySegment weightSegment = HostBuffer.segment(weights);
        MemorySegment indexSegment = HostBuffer.segment(index);
        MemorySegment sumSegment = HostBuffer.segment(sums);
        MemorySegment poisonedSegment = HostBuffer.segment(poisoned);
        divide(
                n,
                4L * columns,
                (from, to, slot) -> kernels.accumulate(
                        y, weightSegment, indexSegment, columns, sumSegment, poisonedSegment, from, to));
    }

    @Override
    public void clear(Buffer buffer, long bytes) {
        HostBuffer.segment(buffer).asSlice(0, bytes).fill((byte) 0);
    }

    @Override
    public void combine(Buffer sums, int n, int columns, Rows y) {
        Shapes.rows("y", y, n, columns);
        Shapes.atLeast("sums", sums, (long) n * columns * Long.BYTES);
        MemorySegment sumSegment = HostBuffer.segment(sums);
        divide(n, 2L * columns, (from, to, slot) -> kernels.combine(sumSegment, columns, y, from, to));
    }

    @Override
    public void close() {
        lane.close();
        loader.close();
        synchronized (buffers) {
            buffers.forEach(HostBuffer::free);
            buffers.clear();
        }
        synchronized (matrices) {
            matrices.forEach(HostMatrix::close);
            matrices.clear();
        }
        if (ownsPool) {
            lane.pool().close();
        }
    }

    /// A norm's or bias's matrix.
    private static HostMatrix floatRow(String what, Matrix matrix) {
        Shapes.floatRow(what, matrix);
        return (HostMatrix) matrix;
    }

    /// Computes units `[from, to)` with the scratch memory of a slot.
    private interface RangeTask {
        void run(int from, int to, int slot);
    }

    private void divideTiles(int rows, long workPerRow, RangeTask task) {
        int tiles = TileLayout.tiles(rows);
        divide(
                tiles,
                TileLayout.ROWS * workPerRow,
                (from, to, slot) -> task.run(from * TileLayout.ROWS, Math.min(rows, to * TileLayout.ROWS), slot));
    }

    /// Divides units among threads; small work stays on the caller.
    private void divide(int units, long workPerUnit, RangeTask task) {
        long worthwhile = units * workPerUnit / WORK_MIN;
        int parts = (int) Math.min(Math.min(units, worthwhile), (long) PARTS_PER_THREAD * scratch.length);
        if (parts <= 1 || scratch.length == 1) {
            if (units > 0) {
                task.run(0, units, 0);
            }
            return;
        }
        lane.run(
                parts,
                (part, slot) ->
                        task.run((int) ((long) units * part / parts), (int) ((long) units * (part + 1) / parts), slot));
    }
}
