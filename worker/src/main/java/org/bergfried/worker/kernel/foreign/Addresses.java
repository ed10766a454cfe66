package org.bergfried.worker.kernel.foreign;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.bergfried.worker.kernel.cpu.HostBuffer;
import org.bergfried.worker.tensor.Rows;

/// Addresses for C: each is checked against the bounds of its memory, since C checks nothing. The caller keeps the
/// memory alive during the call.
final class Addresses {
    private Addresses() {}

    /// Where `bytes` bytes of a native segment begin. A segment whose arena is closed is refused.
    static long of(MemorySegment segment, long from, long bytes) {
        if (!segment.isNative() || !segment.scope().isAlive()) {
            throw new IllegalStateException("memory of a kernel is on the heap or closed: C cannot use it");
        }
        Objects.checkFromIndexSize(from, bytes, segment.byteSize());
        return segment.address() + from;
    }

    /// Where row `from` of rows of `columns` columns begins, all rows up to `to` being inside their buffer.
    static long of(Rows rows, int from, int to, int columns) {
        return of(rows, from, to, 0, columns);
    }

    /// Where column `at` of row `from` is, `columns` columns of all rows up to `to` being inside their buffer.
    static long of(Rows rows, int from, int to, int at, int columns) {
        long first = rows.offset() + (long) from * rows.stride() + at;
        long count = to == from ? 0 : (long) (to - 1 - from) * rows.stride() + columns;
        return of(HostBuffer.segment(rows.buffer()), first * Float.BYTES, count * Float.BYTES);
    }
}
