package org.bergfried.worker.kernel.scalar;

import static org.bergfried.worker.kernel.cpu.HostBuffer.F32;
import static org.bergfried.worker.kernel.cpu.HostBuffer.I32;

import java.lang.foreign.MemorySegment;
import org.bergfried.worker.kernel.AttentionShape;
import org.bergfried.worker.kernel.CacheView;
import org.bergfried.worker.kernel.cpu.HostBuffer;
import org.bergfried.worker.kernel.cpu.Scratch;
import org.bergfried.worker.tensor.Rows;

/// Softmax attention over pages (rules D, E and G): two passes, no online rescaling.
final class Attention {
    private static final int SEGMENT = 256;

    private Attention() {}

    /// One query head of one row, which sees the last `window` positions (all if 0). `sink`: minus infinity for none.
    static void head(
            AttentionShape shape,
            int window,
            float sink,
            Rows query,
            CacheView cache,
            Rows y,
            int row,
            int head,
            Scratch scratch) {
        int end = HostBuffer.segment(cache.positions()).get(I32, 4L * row) + 1;
        int first = window == 0 ? 0 : Math.max(0, end - window);
        float[] p = scratch.floats(end);
        float[] s = scratch.sums();
        score(shape, query, cache, row, head, first, end, p, s);
        Softmax.inPlace(p, first, end, sink, s);
        weigh(shape, cache, y, row, head, first, end, p);
    }

    private static void score(
            AttentionShape shape,
            Rows query,
            CacheView cache,
            int row,
            int head,
            int first,
            int end,
            float[] p,
            float[] s) {
        MemorySegment q = HostBuffer.segment(query.buffer());
        MemorySegment pages = HostBuffer.segment(cache.cache());
        long qAt = (query.offset() + (long) row * query.stride() + (long) head * shape.keyColumns()) * 4;
        int kvHead = head / (shape.heads() / shape.kvHeads());
        long column = shape.keyOffset() + (long) kvHead * shape.keyColumns();
        for (int t = first; t < end; t++) {
            long kAt = (cachedRow(cache, row, t) + column) * 4;
            p[t] = Products.floatDot(pages, kAt, q, qAt, shape.keyColumns(), s) * shape.scale();
        }
    }

    private static void weigh(
            AttentionShape shape, CacheView cache, Rows y, int row, int head, int first, int end, float[] p) {
        MemorySegment pages = HostBuffer.segment(cache.cache());
        MemorySegment out = HostBuffer.segment(y.buffer());
        long yAt = (y.offset() + (long) row * y.stride() + (long) head * shape.valueColumns()) * 4;
        int kvHead = head / (shape.heads() / shape.kvHeads());
        long column = shape.valueOffset() + (long) kvHead * shape.valueColumns();
        for (int c = 0; c < shape.valueColumns(); c++) {
            float sum = 0;
            for (int from = first - first % SEGMENT; from < end; from += SEGMENT) {
                float acc = 0;
                for (int t = Math.max(first, from); t < Math.min(end, from + SEGMENT); t++) {
                    acc = Math.fma(p[t], pages.get(F32, (cachedRow(cache, row, t) + column + c) * 4), acc);
                }
                sum = from <= first ? acc : sum + acc;
            }
            out.set(F32, yAt + 4L * c, sum);
        }
    }

    /// Element where the cached row of position `t`, as `row` sees it, begins.
    private static long cachedRow(CacheView cache, int row, int t) {
        long sequence = HostBuffer.segment(cache.sequenceOfRow()).get(I32, 4L * row);
        long entry = sequence * cache.pagesPerSequence() + t / cache.pageRows();
        long page = HostBuffer.segment(cache.pageTables()).get(I32, 4 * entry);
        return cache.layerOffset() + page * cache.pageStride() + (long) (t % cache.pageRows()) * cache.rowStride();
    }
}
