package org.bergfried.worker.kernel.cuda;

import org.bergfried.worker.kernel.AttentionShape;
import org.bergfried.worker.kernel.CacheView;
import org.bergfried.worker.tensor.Rows;
import org.jspecify.annotations.Nullable;

/// Queues attention: scores, softmax, values. The scores of a part of the rows and heads at a time are kept in
/// scratch
/// memory of a fixed size, which holds any context that a cache can.
final class CudaAttention implements AutoCloseable {
    /// Bytes of the scratch memory.
    static final long SCRATCH = 32L << 20;

    private static final int POSITIONS = 32; // of a block of the scores: four warps of eight
    private static final int WARP = 32;
    private static final int WARPS = 8;
    private static final int HEADS = 4; // of a unit, where so many read the same keys
    private static final int UNITS_MAX = 32_768; // of one launch

    private final CudaDevice device;
    private final CudaStream stream;
    private DevicePool.@Nullable Block scratch;

    CudaAttention(CudaDevice device, CudaStream stream) {
        this.device = device;
        this.stream = stream;
    }

    /// What one call is about.
    ///
    /// @param headsOfUnit heads that one unit of work makes.
    /// @param pitch       floats of scratch memory for one head.
    private record Call(
            AttentionShape shape,
            int window,
            CudaMatrix.@Nullable OnDevice sinks,
            Rows query,
            CacheView cache,
            Rows y,
            int headsOfUnit,
            int pitch,
            long scores) {}

    /// Queues the attention of validated operands.
    void run(
            AttentionShape shape,
            int window,
            CudaMatrix.@Nullable OnDevice sinks,
            Rows query,
            int n,
            CacheView cache,
            Rows y) {
        int group = shape.heads() / shape.kvHeads();
        int headsOfUnit = group >= HEADS ? HEADS : 1;
        int pitch = Math.ceilDiv(cache.positionMax() + 1, WARP) * WARP;
        var call = new Call(shape, window, sinks, query, cache, y, headsOfUnit, pitch, scratch(headsOfUnit, pitch));
        int units = n * shape.kvHeads() * Math.ceilDiv(group, headsOfUnit);
        long atOnce =
                Math.min(UNITS_MAX, scratchBytes(headsOfUnit, pitch) / ((long) headsOfUnit * pitch * Float.BYTES));
        for (int first = 0; first < units; first += (int) atOnce) {
            int count = (int) Math.min(atOnce, units - first);
            scores(call, first, count);
            softmax(call, first, count);
            values(call, first, count);
        }
    }

    private static long scratchBytes(int headsOfUnit, int pitch) {
        return Math.max(SCRATCH, (long) headsOfUnit * pitch * Float.BYTES);
    }

    private long scratch(int headsOfUnit, int pitch) {
        long bytes = scratchBytes(headsOfUnit, pitch);
        if (scratch == null || scratch.bytes() < bytes) {
            close();
            scratch = device.allocate(bytes);
        }
        return scratch.address();
    }

    private void scores(Call call, int first, int count) {
        AttentionShape shape = call.shape();
        pages("scores_", call)
                .wide(CudaBackend.address(call.query()))
                .integer(call.query().stride())
                .integer(shape.heads())
                .integer(shape.kvHeads())
                .integer(shape.keyColumns())
                .integer(shape.keyOffset())
                .number(shape.scale())
                .integer(call.window())
                .integer(first)
                .wide(call.scores())
                .integer(call.pitch())
                .launch(Math.ceilDiv(call.cache().positionMax() + 1, POSITIONS), count, 4 * WARP, 1, 0);
    }

    private void softmax(Call call, int first, int count) {
        CudaMatrix.OnDevice sinks = call.sinks();
        stream.kernel("softmax")
                .wide(CudaBuffer.address(call.cache().positions()))
                .integer(call.shape().heads())
                .integer(call.shape().kvHeads())
                .integer(call.headsOfUnit())
                .integer(call.window())
                .wide(sinks == null ? 0 : sinks.address())
                .integer(sinks == null ? 0 : CudaProducts.number(sinks.type()))
                .integer(first)
                .wide(call.scores())
                .integer(call.pitch())
                .launch(call.headsOfUnit(), count, WARPS * WARP, 1, 0);
    }

    private void values(Call call, int first, int count) {
        AttentionShape shape = call.shape();
        pages("values_", call)
                .integer(shape.heads())
                .integer(shape.kvHeads())
                .integer(shape.valueColumns())
                .integer(shape.valueOffset())
                .integer(call.window())
                .integer(first)
                .wide(call.scores())
                .integer(call.pitch())
                .wide(CudaBackend.address(call.y()))
                .integer(call.y().stride())
                .launch(Math.ceilDiv(shape.valueColumns(), WARP), count, WARP, WARPS, 0);
    }

    /// A kernel that reads pages, with its first arguments.
    private Kernel pages(String name, Call call) {
        CacheView cache = call.cache();
        return stream.kernel(name + call.headsOfUnit())
                .wide(CudaBuffer.address(cache.cache(), cache.layerOffset() * Float.BYTES))
                .wide(cache.pageStride())
                .integer(cache.rowStride())
                .integer(cache.pageRows())
                .wide(CudaBuffer.address(cache.pageTables()))
                .integer(cache.pagesPerSequence())
                .wide(CudaBuffer.address(cache.sequenceOfRow()))
                .wide(CudaBuffer.address(cache.positions()));
    }

    @Override
    public void close() {
        if (scratch != null) {
            stream.await();
            device.release(scratch);
            scratch = null;
        }
    }
}
