package org.bergfried.worker.kernel.cpu;

import org.bergfried.worker.kernel.AttentionShape;
import org.bergfried.worker.kernel.CacheView;
import org.bergfried.worker.kernel.GateShape;
import org.bergfried.worker.kernel.Matrix;
import org.bergfried.worker.kernel.RopeShape;
import org.bergfried.worker.tensor.Buffer;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.Rows;

/// Validates the arguments of operations: a mismatch is a bug and throws `IllegalArgumentException`.
final class Shapes {
    private Shapes() {}

    /// `[n, columns]` must lie inside its buffer, and rows must not overlap.
    static void rows(String what, Rows rows, int n, int columns) {
        if (n < 0 || columns < 0) {
            throw new IllegalArgumentException(what + ": [" + n + ", " + columns + "]");
        }
        if (n > 1 && rows.stride() < columns) {
            throw new IllegalArgumentException(
                    what + ": rows of " + columns + " columns overlap at a stride of " + rows.stride());
        }
        if (n > 0) {
            long end = rows.offset() + (long) (n - 1) * rows.stride() + columns;
            atLeast(what, rows.buffer(), end * Float.BYTES);
        }
    }

    /// A buffer must have at least `bytes` bytes.
    static void atLeast(String what, Buffer buffer, long bytes) {
        if (buffer.byteSize() < bytes) {
            throw new IllegalArgumentException(
                    what + ": needs " + bytes + " bytes, the buffer has " + buffer.byteSize());
        }
    }

    /// `[n, codes.columns]` must lie inside the buffers.
    static void codes(Codes codes, int n) {
        if (codes.columns() % 32 != 0) {
            throw new IllegalArgumentException("codes: " + codes.columns() + " columns are no multiple of 32");
        }
        atLeast("codes", codes.q(), (long) n * codes.columns());
        atLeast("scales of codes", codes.scales(), (long) n * (codes.columns() / 32) * Float.BYTES);
    }

    /// A norm's or bias's matrix: one row of a float type.
    static HostMatrix floatRow(String what, Matrix matrix) {
        var host = (HostMatrix) matrix;
        if (host.type().integerCoded() || host.rows() != 1) {
            throw new IllegalArgumentException(what + ": " + host.name() + " is " + host.type() + " with " + host.rows()
                    + " rows, not one row of a float type");
        }
        return host;
    }

    /// Row numbers must lie in `[0, count)`.
    static void indices(String what, Buffer index, int n, long count) {
        atLeast(what, index, (long) n * Integer.BYTES);
        var segment = HostBuffer.segment(index);
        for (int i = 0; i < n; i++) {
            int value = segment.get(HostBuffer.I32, 4L * i);
            if (value < 0 || value >= count) {
                throw new IllegalArgumentException(what + "[" + i + "] = " + value + " of " + count);
            }
        }
    }

    static void rope(RopeShape shape) {
        if (shape.rotaryColumns() % 2 != 0 || shape.rotaryColumns() > shape.headStride()) {
            throw new IllegalArgumentException("rope: " + shape);
        }
    }

    static void attention(AttentionShape shape, CacheView cache, int n) {
        if (shape.heads() < 1 || shape.kvHeads() < 1 || shape.heads() % shape.kvHeads() != 0) {
            throw new IllegalArgumentException("attention: " + shape);
        }
        atLeast("positions", cache.positions(), (long) n * Integer.BYTES);
        atLeast("sequences of rows", cache.sequenceOfRow(), (long) n * Integer.BYTES);
        if (cache.positionMax() / cache.pageRows() >= cache.pagesPerSequence()) {
            throw new IllegalArgumentException("attention: position " + cache.positionMax() + " is beyond "
                    + cache.pagesPerSequence() + " pages of " + cache.pageRows());
        }
        var positions = HostBuffer.segment(cache.positions());
        for (int i = 0; i < n; i++) {
            int position = positions.get(HostBuffer.I32, 4L * i);
            if (position < 0 || position > cache.positionMax()) {
                throw new IllegalArgumentException(
                        "attention: row " + i + " is at position " + position + " of at most " + cache.positionMax());
            }
        }
    }

    static void gate(GateShape shape) {
        int perGroup = shape.groups() < 1 ? 0 : shape.experts() / shape.groups();
        if (perGroup < 1
                || shape.experts() % shape.groups() != 0
                || shape.groupsChosen() < 1
                || shape.groupsChosen() > shape.groups()
                || shape.chosen() < 1
                || shape.chosen() > shape.groupsChosen() * perGroup) {
            throw new IllegalArgumentException("gate: " + shape);
        }
    }
}
