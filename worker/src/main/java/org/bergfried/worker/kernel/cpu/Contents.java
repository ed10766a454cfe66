package org.bergfried.worker.kernel.cpu;

import org.bergfried.worker.kernel.CacheView;
import org.bergfried.worker.kernel.Shapes;
import org.bergfried.worker.tensor.Buffer;

/// Validates the numbers in buffers that say where other numbers are, which only the CPU can look at: a wrong one is a
/// bug and throws `IllegalArgumentException`.
final class Contents {
    private Contents() {}

    /// Row numbers must lie in `[0, count)`.
    static void indices(String what, Buffer index, int n, long count) {
        Shapes.atLeast(what, index, (long) n * Integer.BYTES);
        var segment = HostBuffer.segment(index);
        for (int i = 0; i < n; i++) {
            int value = segment.get(HostBuffer.I32, 4L * i);
            if (value < 0 || value >= count) {
                throw new IllegalArgumentException(what + "[" + i + "] = " + value + " of " + count);
            }
        }
    }

    /// Rows must be at positions up to the largest that the view names.
    static void positions(CacheView cache, int n) {
        var positions = HostBuffer.segment(cache.positions());
        for (int i = 0; i < n; i++) {
            int position = positions.get(HostBuffer.I32, 4L * i);
            if (position < 0 || position > cache.positionMax()) {
                throw new IllegalArgumentException(
                        "attention: row " + i + " is at position " + position + " of at most " + cache.positionMax());
            }
        }
    }
}
