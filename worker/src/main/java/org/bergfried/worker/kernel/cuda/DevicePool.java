package org.bergfried.worker.kernel.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.jspecify.annotations.Nullable;

/// Device memory, taken from the driver in large chunks and handed out in blocks. Freed blocks are joined with free
/// neighbours and used again; chunks go back to the driver at the end only. Thread-safe; the context of the device must
/// be current.
final class DevicePool {
    /// The usual size of a chunk.
    static final long CHUNK = 64L << 20;

    private static final long ALIGNMENT = 256;

    private final long limit;
    private final long chunkBytes;
    private final List<DevicePointer> chunks = new ArrayList<>();
    private final TreeMap<Long, Long> free = new TreeMap<>(); // address to size; neighbours of one chunk are joined
    private final TreeMap<Long, Long> chunkSizes = new TreeMap<>(); // address to size
    private long taken; // from the driver
    private long used; // handed out

    /// A part of the memory.
    record Block(long address, long bytes) {}

    /// An empty pool.
    ///
    /// @param limit      most bytes that it takes from the driver.
    /// @param chunkBytes the least that is taken at once; 0 makes each block an allocation of its own, so that a
    ///     checking device notices accesses beyond its end.
    DevicePool(long limit, long chunkBytes) {
        this.limit = limit;
        this.chunkBytes = chunkBytes;
    }

    /// Bytes of a block for so many.
    static long aligned(long bytes) {
        return Math.ceilDiv(Math.max(bytes, 1), ALIGNMENT) * ALIGNMENT;
    }

    /// Takes memory from the driver in one piece before it is needed.
    synchronized void reserve(long bytes) {
        if (chunkBytes > 0 && bytes > 0) {
            grow(bytes);
        }
    }

    /// @throws ClusterException TOO_LARGE with the numbers if there is no room.
    synchronized Block allocate(long bytes) {
        long size = aligned(bytes);
        if (chunkBytes == 0) {
            size = Math.max(bytes, 1);
            grow(size);
        }
        Map.Entry<Long, Long> place = find(size);
        if (place == null) {
            grow(Math.max(size, Math.min(chunkBytes, limit - taken)));
            place = find(size);
        }
        if (place == null) {
            throw new IllegalStateException("a new chunk has no room for " + size + " bytes");
        }
        long address = place.getKey();
        free.remove(address);
        if (place.getValue() > size) {
            free.put(address + size, place.getValue() - size);
        }
        used += size;
        return new Block(address, size);
    }

    /// Gives a block back.
    synchronized void release(Block block) {
        used -= block.bytes();
        long address = block.address();
        long size = block.bytes();
        Map.Entry<Long, Long> below = free.lowerEntry(address);
        if (below != null && below.getKey() + below.getValue() == address && !chunkSizes.containsKey(address)) {
            free.remove(below.getKey());
            address = below.getKey();
            size += below.getValue();
        }
        Long above = free.get(address + size);
        if (above != null && !chunkSizes.containsKey(address + size)) {
            free.remove(address + size);
            size += above;
        }
        free.put(address, size);
        if (chunkBytes == 0) {
            giveBack(address);
        }
    }

    /// Bytes handed out.
    synchronized long used() {
        return used;
    }

    /// Most bytes that it may take.
    long limit() {
        return limit;
    }

    /// Frees all chunks.
    synchronized void close() {
        for (DevicePointer chunk : chunks) {
            JCudaDriver.cuMemFree(chunk);
        }
        chunks.clear();
        free.clear();
    }

    /// The smallest free block that is large enough.
    private Map.@Nullable Entry<Long, Long> find(long size) {
        Map.Entry<Long, Long> best = null;
        for (Map.Entry<Long, Long> entry : free.entrySet()) {
            if (entry.getValue() >= size && (best == null || entry.getValue() < best.getValue())) {
                best = entry;
            }
        }
        return best;
    }

    private void grow(long bytes) {
        if (taken + bytes > limit) {
            throw tooLarge(bytes, "the limit is " + limit);
        }
        var chunk = new DevicePointer();
        int result = JCudaDriver.cuMemAlloc(chunk, bytes);
        if (result == CUresult.CUDA_ERROR_OUT_OF_MEMORY) {
            long[] left = new long[1];
            JCudaDriver.cuMemGetInfo(left, new long[1]);
            throw tooLarge(bytes, "the device has only " + left[0] + " left");
        }
        Cuda.check(result, "taking " + bytes + " bytes of device memory");
        chunks.add(chunk);
        chunkSizes.put(chunk.address(), bytes);
        free.put(chunk.address(), bytes);
        taken += bytes;
    }

    private void giveBack(long address) {
        for (DevicePointer chunk : List.copyOf(chunks)) {
            if (chunk.address() == address) {
                Cuda.check(JCudaDriver.cuMemFree(chunk), "freeing device memory");
                chunks.remove(chunk);
                free.remove(address);
                Long size = chunkSizes.remove(address);
                taken -= size == null ? 0 : size;
            }
        }
    }

    private ClusterException tooLarge(long bytes, String why) {
        return new ClusterException(
                ErrorReason.TOO_LARGE,
                bytes + " more bytes of device memory are needed beside the " + taken + " that are taken; " + why
                        + "; raise cuda.memory, place fewer experts here or lower cache.positions and batch.rowsMax");
    }
}
