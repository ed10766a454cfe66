package org.bergfried.worker.kernel.foreign;

import static org.bergfried.worker.kernel.cpu.HostBuffer.F32;
import static org.bergfried.worker.kernel.cpu.HostBuffer.I32;

import java.lang.foreign.MemorySegment;
import org.bergfried.worker.kernel.AttentionShape;
import org.bergfried.worker.kernel.CacheView;
import org.bergfried.worker.kernel.cpu.HostBuffer;
import org.bergfried.worker.kernel.cpu.HostMatrix;
import org.bergfried.worker.kernel.cpu.Scratch;
import org.bergfried.worker.tensor.Rows;
import org.jspecify.annotations.Nullable;

/// Attention of query heads of one row that share a key-value head.
final class NativeAttention {
    private NativeAttention() {}

    /// Query heads `head .. head + count - 1` of one row, which sees the last `window` positions (all if 0).
    static void heads(
            int variant,
            AttentionShape shape,
            int window,
            @Nullable HostMatrix sinks,
            Rows query,
            CacheView cache,
            Rows y,
            int row,
            int head,
            int count,
            Scratch scratch) {
        int end = HostBuffer.segment(cache.positions()).get(I32, 4L * row) + 1;
        int first = window == 0 ? 0 : Math.max(0, end - window);
        int kvHead = head / (shape.heads() / shape.kvHeads());
        long keyAt = shape.keyOffset() + (long) kvHead * shape.keyColumns();
        long valueAt = shape.valueOffset() + (long) kvHead * shape.valueColumns();
        long sinkBytes = 4L * count;
        long bytes = sinkBytes
                + NativeCalls.ATTENTION_SCRATCH_BYTES.call(
                        variant, count, shape.keyColumns(), shape.valueColumns(), end);
        MemorySegment memory = scratch.memory(bytes);
        for (int h = 0; sinks != null && h < count; h++) {
            memory.set(F32, 4L * h, sinks.floatAt(0, head + h));
        }
        long used = Math.max(keyAt + shape.keyColumns(), valueAt + shape.valueColumns());
        NativeCalls.ATTENTION.call(
                variant,
                count,
                shape.keyColumns(),
                shape.valueColumns(),
                keyAt,
                valueAt,
                shape.scale(),
                sinks == null ? 0 : memory.address(),
                layer(cache, row, first, end, used),
                pageTable(cache, row, end),
                cache.pageStride(),
                cache.rowStride(),
                cache.pageRows(),
                first,
                end,
                Addresses.of(query, row, row + 1, head * shape.keyColumns(), count * shape.keyColumns()),
                Addresses.of(y, row, row + 1, head * shape.valueColumns(), count * shape.valueColumns()),
                memory.address() + sinkBytes);
    }

    /// Where the layer begins in page 0; every cached row that is seen lies inside the cache.
    private static long layer(CacheView cache, int row, int first, int end, long used) {
        MemorySegment pages = HostBuffer.segment(cache.cache());
        MemorySegment table = HostBuffer.segment(cache.pageTables());
        long entry = firstEntry(cache, row);
        for (int page = first / cache.pageRows(); page * cache.pageRows() < end; page++) {
            long at = cache.layerOffset() + table.get(I32, 4 * (entry + page)) * cache.pageStride();
            int rows = Math.min(cache.pageRows(), end - page * cache.pageRows());
            Addresses.of(pages, at * 4, ((rows - 1L) * cache.rowStride() + used) * 4);
        }
        return Addresses.of(pages, cache.layerOffset() * 4, 0);
    }

    private static long pageTable(CacheView cache, int row, int end) {
        long pages = Math.ceilDiv(end, cache.pageRows());
        return Addresses.of(HostBuffer.segment(cache.pageTables()), 4 * firstEntry(cache, row), 4 * pages);
    }

    private static long firstEntry(CacheView cache, int row) {
        return (long) HostBuffer.segment(cache.sequenceOfRow()).get(I32, 4L * row) * cache.pagesPerSequence();
    }
}
