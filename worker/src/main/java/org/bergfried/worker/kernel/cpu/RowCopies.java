package org.bergfried.worker.kernel.cpu;

import java.lang.foreign.MemorySegment;
import org.bergfried.worker.tensor.Buffer;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.Rows;

/// The operations that only move rows; their arguments are already validated.
final class RowCopies {
    private RowCopies() {}

    /// Row `i` goes to element `cacheOffset + slots[i] * rowStride` of `cache`.
    static void store(Rows x, int n, int columns, Buffer cache, long cacheOffset, int rowStride, Buffer slots) {
        MemorySegment from = HostBuffer.segment(x.buffer());
        MemorySegment to = HostBuffer.segment(cache);
        MemorySegment slotSegment = HostBuffer.segment(slots);
        for (int i = 0; i < n; i++) {
            long target = cacheOffset + slotSegment.get(HostBuffer.I64, 8L * i) * rowStride;
            MemorySegment.copy(from, (x.offset() + (long) i * x.stride()) * 4, to, target * 4, 4L * columns);
        }
    }

    /// Rows `index[i]` of `x` go to rows `i` of `y`.
    static void gather(Rows x, Buffer index, int n, int columns, Rows y) {
        MemorySegment from = HostBuffer.segment(x.buffer());
        MemorySegment to = HostBuffer.segment(y.buffer());
        MemorySegment indexSegment = HostBuffer.segment(index);
        for (int i = 0; i < n; i++) {
            long source = x.offset() + (long) indexSegment.get(HostBuffer.I32, 4L * i) * x.stride();
            MemorySegment.copy(from, source * 4, to, (y.offset() + (long) i * y.stride()) * 4, 4L * columns);
        }
    }

    /// The same for quantised rows and their scales.
    static void gatherCodes(Codes x, Buffer index, int n, Codes y) {
        MemorySegment indexSegment = HostBuffer.segment(index);
        long scaleBytes = x.columns() / 32 * 4L;
        for (int i = 0; i < n; i++) {
            long row = indexSegment.get(HostBuffer.I32, 4L * i);
            copyRow(x.q(), row, y.q(), i, x.columns());
            copyRow(x.scales(), row, y.scales(), i, scaleBytes);
        }
    }

    private static void copyRow(Buffer source, long sourceRow, Buffer target, long targetRow, long rowBytes) {
        MemorySegment.copy(
                HostBuffer.segment(source),
                sourceRow * rowBytes,
                HostBuffer.segment(target),
                targetRow * rowBytes,
                rowBytes);
    }
}
