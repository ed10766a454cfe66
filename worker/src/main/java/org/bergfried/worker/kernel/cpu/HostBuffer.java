package org.bergfried.worker.kernel.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.bergfried.worker.tensor.Buffer;

/// Memory of a CPU backend: zeroed, off the Java heap, aligned to 64 bytes.
public final class HostBuffer implements Buffer {
    /// A float32 in memory, at any address.
    public static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    /// An int32 in memory, at any address.
    public static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    /// An int64 in memory, at any address.
    public static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    /// Sixteen bits in memory (a binary16, or the upper half of a binary32), at any address.
    public static final ValueLayout.OfShort I16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    /// A byte in memory.
    public static final ValueLayout.OfByte I8 = ValueLayout.JAVA_BYTE;

    static final int ALIGNMENT = 64;

    private final Arena arena;
    private final MemorySegment segment;

    HostBuffer(long bytes) {
        arena = Arena.ofShared();
        segment = arena.allocate(bytes, ALIGNMENT);
    }

    /// The memory of a buffer that a CPU backend made.
    public static MemorySegment segment(Buffer buffer) {
        return ((HostBuffer) buffer).segment;
    }

    @Override
    public long byteSize() {
        return segment.byteSize();
    }

    void free() {
        arena.close();
    }
}
