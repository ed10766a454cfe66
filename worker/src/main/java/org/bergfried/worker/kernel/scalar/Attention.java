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

    /// One query head of one row.
    static void head(AttentionShape shape, Rows query, CacheView cache, Rows y, int row, int head, Scratch scratch) {
        int seen = HostBuffer.segment(cache.positions()).get(I32, 4L * row) + 1;
        float[] p = scratch.floats(seen);
        float[] s = scratch.sums();
        score(shape, query, cache, row, head, seen, p, s);
        Softmax.inPlace(p, seen, s);
        weigh(shape, cache, y, row, head, seen, p);
    }

    private static void score(
            AttentionShape shape, Rows query, CacheView cache, int row, int head, int seen, float[] p, float[] s) {
        MemorySegment q = HostBuffer.segment(query.buffer());
        MemorySegment pages = HostBuffer.segment(cache.cache());
        long qAt = (query.offset() + (long) row * query.stride() + (long) head * shape.keyColumns()) * 4;
        int kvHead = head / (shape.heads() / shape.kvHeads());
        long column = shape.keyOffset() + (long) kvHead * shape.keyColumns();
        for (int t = 0; t < seen; t++) {
            long kAt = (cachedRow(cache, row, t) + column) * 4;
            p[t] = Products.floatDot(pages, kAt, q, qAt, shape.keyColumns(), s) * shape.scale();
        }
    }

    private static void weigh(AttentionShape shape, CacheView cache, Rows y, int row, int head, int seen, float[] p) {
        MemorySegment pages = HostBuffer.segment(cache.cache());
        MemorySegment out = HostBuffer.segment(y.buffer());
        long yAt = (y.offset() + (long) row * y.stride() + (long) head * shape.valueColumns()) * 4;
        int kvHead = head / (shape.heads() / shape.kvHeads());
        long column = shape.valueOffset() + (long) kvHead * shape.valueColumns();
        for (int c = 0; c < shape.valueColumns(); c++) {
            float sum = 0;
            for (int from = 0; from < seen; from += SEGMENT) {
                float acc = 0;
                for (int t = from; t < Math.min(seen, from + SEGMENT); t++) {
                    acc = Math.fma(p[t], pages.get(F32, (cachedRow(cache, row, t) + column + c) * 4), acc);
                }
                sum = from == 0 ? acc : sum + acc;
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
