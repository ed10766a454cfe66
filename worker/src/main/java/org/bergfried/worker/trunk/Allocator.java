package org.bergfried.worker.trunk;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.tensor.Buffer;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.Rows;
import org.jspecify.annotations.Nullable;

/// Allocates the memory of a trunk and counts it. One that only counts makes buffers of the right sizes without
/// memory behind them, so that the sum is known before anything is taken and cannot differ from what is taken.
final class Allocator implements AutoCloseable {
    private static final long HOST_ALIGNMENT = 64;

    private final @Nullable Backend backend;
    private final @Nullable Arena arena;
    private final List<Buffer> buffers = new ArrayList<>();
    private long bytes;

    private Allocator(@Nullable Backend backend, @Nullable Arena arena) {
        this.backend = backend;
        this.arena = arena;
    }

    /// Allocates buffers of a backend, and host memory that other threads may read.
    static Allocator of(Backend backend) {
        return new Allocator(backend, Arena.ofShared());
    }

    /// Counts only.
    static Allocator counting() {
        return new Allocator(null, null);
    }

    /// float32 `[rows, columns]`.
    Rows rows(int rows, int columns) {
        return Rows.of(floats((long) rows * columns), columns);
    }

    /// int8 `[rows, columns]` with their scales.
    Codes codes(int rows, int columns) {
        return new Codes(buffer((long) rows * columns), floats((long) rows * (columns / 32)), columns);
    }

    /// float32 `[count]`.
    Buffer floats(long count) {
        return buffer(count * Float.BYTES);
    }

    /// int32 `[count]`.
    Buffer ints(long count) {
        return buffer(count * Integer.BYTES);
    }

    /// int64 `[count]`.
    Buffer longs(long count) {
        return buffer(count * Long.BYTES);
    }

    /// Memory of the host.
    MemorySegment host(long byteCount) {
        bytes += byteCount;
        return arena == null ? MemorySegment.NULL : arena.allocate(byteCount, HOST_ALIGNMENT);
    }

    /// What was allocated or counted so far.
    long bytes() {
        return bytes;
    }

    private Buffer buffer(long byteCount) {
        bytes += byteCount;
        if (backend == null) {
            return new CountedBuffer(byteCount);
        }
        Buffer buffer = backend.allocate(byteCount);
        buffers.add(buffer);
        return buffer;
    }

    @Override
    public void close() {
        if (backend != null) {
            buffers.forEach(backend::free);
        }
        if (arena != null) {
            arena.close();
        }
    }

    private record CountedBuffer(long byteSize) implements Buffer {}
}
