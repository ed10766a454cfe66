package org.bergfried.worker.kernel.vector;

import static org.bergfried.worker.kernel.cpu.HostBuffer.F32;
import static org.bergfried.worker.kernel.cpu.HostBuffer.I32;
import static org.bergfried.worker.kernel.vector.Width.F;
import static org.bergfried.worker.kernel.vector.Width.LANES;
import static org.bergfried.worker.kernel.vector.Width.LE;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.bergfried.worker.kernel.AttentionShape;
import org.bergfried.worker.kernel.CacheView;
import org.bergfried.worker.kernel.cpu.HostBuffer;
import org.bergfried.worker.kernel.cpu.Scratch;
import org.bergfried.worker.tensor.Rows;

/// Softmax attention over pages (rules D, E, G) for query heads of one row that share a key-value head, so that each
/// key and value is fetched once for all of them.
final class VectorAttention {
    private static final int SEGMENT = 256;

    private VectorAttention() {}

    /// Query heads `head .. head + count - 1` of one row.
    static void heads(
            AttentionShape shape, Rows query, CacheView cache, Rows y, int row, int head, int count, Scratch scratch) {
        int seen = HostBuffer.segment(cache.positions()).get(I32, 4L * row) + 1;
        int stride = FloatRows.padded(seen + 3); // scores are written four at a time
        float[] p = scratch.floats(count * stride);
        score(shape, query, cache, row, head, count, seen, p, stride, scratch);
        for (int h = 0; h < count; h++) {
            Exponential.softmax(p, h * stride, seen, shape.scale(), scratch.sums());
        }
        weigh(shape, cache, y, row, head, count, seen, p, stride, scratch);
    }

    private static void score(
            AttentionShape shape,
            Rows query,
            CacheView cache,
            int row,
            int head,
            int count,
            int seen,
            float[] p,
            int stride,
            Scratch scratch) {
        int columns = shape.keyColumns();
        int padded = FloatRows.padded(columns);
        float[] q = scratch.moreFloats(count * padded + Dots.WORK);
        float[] work = scratch.work(Dots.WORK);
        for (int h = 0; h < count; h++) {
            long at = query.offset() + (long) row * query.stride() + (long) (head + h) * columns;
            MemorySegment.copy(HostBuffer.segment(query.buffer()), F32, at * 4, q, h * padded, columns);
            Arrays.fill(q, h * padded + columns, (h + 1) * padded, 0f);
        }
        long first = shape.keyOffset() + (long) (head / (shape.heads() / shape.kvHeads())) * columns;
        int step = 4 * cache.rowStride();
        for (int t = 0; t < seen; t += cache.pageRows()) {
            int rows = Math.min(cache.pageRows(), seen - t);
            MemorySegment keys = pageRows(cache, row, t, rows, first, columns);
            for (int i = 0; i < rows; i += 4) {
                int last = Math.min(3, rows - 1 - i);
                MemorySegment b = keys;
                int b0 = i * step;
                int each = step;
                if (padded != columns) {
                    b = scratch.memory(16L * padded);
                    b0 = 0;
                    each = 4 * padded;
                    for (int r = 0; r <= last; r++) {
                        FloatRows.pad(keys, (i + r) * step, columns, b, r * each);
                    }
                }
                int b1 = b0 + Math.min(1, last) * each;
                int b2 = b0 + Math.min(2, last) * each;
                int b3 = b0 + last * each;
                for (int h = 0; h < count; h++) {
                    Dots.four(q, h * padded, b, b0, b1, b2, b3, padded, work, p, h * stride + t + i);
                }
            }
        }
    }

    private static void weigh(
            AttentionShape shape,
            CacheView cache,
            Rows y,
            int row,
            int head,
            int count,
            int seen,
            float[] p,
            int stride,
            Scratch scratch) {
        int columns = shape.valueColumns();
        float[] sums = scratch.moreFloats(2 * count * columns);
        int accAt = count * columns;
        long first = shape.valueOffset() + (long) (head / (shape.heads() / shape.kvHeads())) * columns;
        for (int from = 0; from < seen; from += SEGMENT) {
            Arrays.fill(sums, accAt, 2 * accAt, 0f);
            int end = Math.min(seen, from + SEGMENT);
            int t = from;
            while (t < end) {
                int rows = Math.min(cache.pageRows() - t % cache.pageRows(), end - t);
                MemorySegment values = pageRows(cache, row, t, rows, first, columns);
                int h = 0;
                for (; h + 4 <= count; h += 4) {
                    addFour(
                            values,
                            rows,
                            4 * cache.rowStride(),
                            columns,
                            p,
                            h * stride + t,
                            stride,
                            sums,
                            accAt + h * columns);
                }
                for (; h < count; h++) {
                    addOne(values, rows, 4 * cache.rowStride(), columns, p, h * stride + t, sums, accAt + h * columns);
                }
                t += rows;
            }
            for (int i = 0; i < accAt; i++) {
                sums[i] = from == 0 ? sums[accAt + i] : sums[i] + sums[accAt + i];
            }
        }
        long at = y.offset() + (long) row * y.stride() + (long) head * columns;
        MemorySegment.copy(sums, 0, HostBuffer.segment(y.buffer()), F32, at * 4, accAt);
    }

    /// `acc[h][c] = fma(p[h][t], values[t][c], acc[h][c])` for four heads, position after position.
    ///
    /// @param values `rows` rows, `step` bytes apart.
    /// @param p      probabilities of head 0 from `at`, those of the next heads `stride` further each.
    /// @param acc    `[4, columns]` from `to`.
    private static void addFour(
            MemorySegment values, int rows, int step, int columns, float[] p, int at, int stride, float[] acc, int to) {
        int c = 0;
        for (; c <= columns - LANES; c += LANES) {
            FloatVector a0 = FloatVector.fromArray(F, acc, to + c);
            FloatVector a1 = FloatVector.fromArray(F, acc, to + columns + c);
            FloatVector a2 = FloatVector.fromArray(F, acc, to + 2 * columns + c);
            FloatVector a3 = FloatVector.fromArray(F, acc, to + 3 * columns + c);
            for (int t = 0; t < rows; t++) {
                FloatVector v = FloatVector.fromMemorySegment(F, values, t * step + 4 * c, LE);
                a0 = v.fma(FloatVector.broadcast(F, p[at + t]), a0);
                a1 = v.fma(FloatVector.broadcast(F, p[at + stride + t]), a1);
                a2 = v.fma(FloatVector.broadcast(F, p[at + 2 * stride + t]), a2);
                a3 = v.fma(FloatVector.broadcast(F, p[at + 3 * stride + t]), a3);
            }
            a0.intoArray(acc, to + c);
            a1.intoArray(acc, to + columns + c);
            a2.intoArray(acc, to + 2 * columns + c);
            a3.intoArray(acc, to + 3 * columns + c);
        }
        for (int h = 0; h < 4 && c < columns; h++) {
            addTail(values, rows, step, c, columns, p, at + h * stride, acc, to + h * columns);
        }
    }

    /// The same for one head.
    private static void addOne(
            MemorySegment values, int rows, int step, int columns, float[] p, int at, float[] acc, int to) {
        int c = 0;
        for (; c <= columns - LANES; c += LANES) {
            FloatVector a = FloatVector.fromArray(F, acc, to + c);
            for (int t = 0; t < rows; t++) {
                FloatVector v = FloatVector.fromMemorySegment(F, values, t * step + 4 * c, LE);
                a = v.fma(FloatVector.broadcast(F, p[at + t]), a);
            }
            a.intoArray(acc, to + c);
        }
        addTail(values, rows, step, c, columns, p, at, acc, to);
    }

    private static void addTail(
            MemorySegment values, int rows, int step, int from, int columns, float[] p, int at, float[] acc, int to) {
        for (int c = from; c < columns; c++) {
            for (int t = 0; t < rows; t++) {
                acc[to + c] = Math.fma(p[at + t], values.get(F32, (long) t * step + 4L * c), acc[to + c]);
            }
        }
    }

    /// Columns of the cached rows `t .. t + rows - 1`, which lie in one page, as `row` sees them.
    private static MemorySegment pageRows(CacheView cache, int row, int t, int rows, long first, int columns) {
        long sequence = HostBuffer.segment(cache.sequenceOfRow()).get(I32, 4L * row);
        long entry = sequence * cache.pagesPerSequence() + t / cache.pageRows();
        long page = HostBuffer.segment(cache.pageTables()).get(I32, 4 * entry);
        long at = cache.layerOffset() + page * cache.pageStride() + (long) (t % cache.pageRows()) * cache.rowStride();
        return Native.slice(
                HostBuffer.segment(cache.cache()), (at + first) * 4, ((rows - 1L) * cache.rowStride() + columns) * 4);
    }
}
