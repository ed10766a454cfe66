package org.bergfried.worker.kernel.cpu;

import java.lang.foreign.MemorySegment;
import java.util.function.LongConsumer;
import org.bergfried.worker.machine.MappedPages;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.StoredTensor;

/// Checks and re-lays weights, several rows at a time where a tensor is big. Any thread may load, one after the
/// other.
final class WeightLoader implements AutoCloseable {
    private static final long PART_BYTES = 1 << 20;

    private final ComputePool.Lane lane;
    private final LongConsumer onRead;

    /// @param onRead hears of bytes of files as they are loaded, on any thread.
    WeightLoader(ComputePool pool, LongConsumer onRead) {
        lane = pool.open(ComputePool.Priority.TRUNK);
        this.onRead = onRead;
    }

    synchronized HostMatrix load(StoredTensor tensor) {
        HostMatrix matrix = HostMatrix.staysMapped(tensor) ? HostMatrix.mapped(tensor) : HostMatrix.resident(tensor);
        long bytes = tensor.bytes().byteSize();
        int tiles = TileLayout.tiles(tensor.rows());
        int parts = Math.clamp(bytes / PART_BYTES, 1, tiles);
        try {
            lane.run(parts, (part, slot) -> {
                int from = (int) ((long) tiles * part / parts) * TileLayout.ROWS;
                int to = (int) ((long) tiles * (part + 1) / parts) * TileLayout.ROWS;
                fill(tensor, matrix, from, Math.min(to, tensor.rows()));
                onRead.accept(bytes * (part + 1) / parts - bytes * part / parts);
            });
        } catch (RuntimeException e) {
            matrix.close();
            throw e;
        }
        if (matrix.residentBytes() > 0) {
            MappedPages.drop(tensor.bytes());
        }
        return matrix;
    }

    private static void fill(StoredTensor tensor, HostMatrix matrix, int from, int to) {
        WeightCheck.check(tensor, from, to);
        long rowBytes = tensor.type().rowBytes(tensor.columns());
        if (tensor.type().integerCoded()) {
            relay(tensor, matrix.weights(), rowBytes, from, to);
        } else if (matrix.residentBytes() > 0) {
            MemorySegment.copy(
                    tensor.bytes(), from * rowBytes, matrix.weights(), from * rowBytes, (to - from) * rowBytes);
        }
    }

    private static void relay(StoredTensor tensor, MemorySegment tiles, long rowBytes, int from, int to) {
        ElementType type = tensor.type();
        long tileBytes = TileLayout.tileBytes(type, tensor.columns());
        for (int row = from; row < to; row++) {
            MemorySegment tile = tiles.asSlice(row / TileLayout.ROWS * tileBytes, tileBytes);
            TileLayout.relayRow(type, tensor.bytes().asSlice(row * rowBytes, rowBytes), tile, row % TileLayout.ROWS);
        }
    }

    @Override
    public void close() {
        lane.close();
    }
}
