package org.bergfried.worker.kernel.vector;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

/// Slices of native memory that all have the same class and scope, wherever the memory comes from: mapped files and
/// allocated buffers in one loop would cost the compiler its certainty about types, and the loop most of its speed.
final class Native {
    private static final MemorySegment ALL = everything();

    private Native() {}

    @SuppressWarnings("restricted") // every use goes through `slice`, which checks the bounds of the segment given
    private static MemorySegment everything() {
        return MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    }

    /// `bytes` bytes of a native segment that must be alive: a segment whose arena is closed is refused here, since
    /// the
    /// slice itself cannot know. The caller keeps the segment alive while it uses the slice.
    static MemorySegment slice(MemorySegment segment, long from, long bytes) {
        if (!segment.scope().isAlive()) {
            throw new IllegalStateException("memory of a kernel is closed: it must outlive what computes with it");
        }
        Objects.checkFromIndexSize(from, bytes, segment.byteSize());
        return ALL.asSlice(segment.address() + from, bytes);
    }
}
