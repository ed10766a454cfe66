package org.bergfried.worker.kernel;

import org.bergfried.worker.tensor.Buffer;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.Rows;

/// Validates the arguments of operations, for every backend: a mismatch is a bug and throws `IllegalArgumentException`.
public final class Shapes {
    private Shapes() {}

    /// `[n, columns]` must lie inside its buffer, and rows must not overlap.
    public static void rows(String what, Rows rows, int n, int columns) {
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
    public static void atLeast(String what, Buffer buffer, long bytes) {
        if (buffer.byteSize() < bytes) {
            throw new IllegalArgumentException(
                    what + ": needs " + bytes + " bytes, the buffer has " + buffer.byteSize());
        }
    }

    /// Two numbers of columns must be equal.
    public static void columns(String what, int actual, int expected) {
        if (actual != expected) {
            throw new IllegalArgumentException(what + ": " + actual + " columns where " + expected + " are needed");
        }
    }

    /// `[n, codes.columns]` must lie inside the buffers.
    public static void codes(Codes codes, int n) {
        if (codes.columns() % 32 != 0) {
            throw new IllegalArgumentException("codes: " + codes.columns() + " columns are no multiple of 32");
        }
        atLeast("codes", codes.q(), (long) n * codes.columns());
        atLeast("scales of codes", codes.scales(), (long) n * (codes.columns() / 32) * Float.BYTES);
    }

    /// The operands of a product.
    public static void product(Matrix w, Rows x, Codes codes, int n, Rows y) {
        rows("y", y, n, w.rows());
        if (w.type().integerCoded()) {
            columns("codes", codes.columns(), w.columns());
            codes(codes, n);
        } else {
            rows("x", x, n, w.columns());
        }
    }

    /// A norm's or bias's matrix: one row of a float type.
    public static void floatRow(String what, Matrix matrix) {
        if (matrix.type().integerCoded() || matrix.rows() != 1) {
            throw new IllegalArgumentException(
                    what + ": " + matrix.type() + " with " + matrix.rows() + " rows, not one row of a float type");
        }
    }

    /// How rotary embeddings lie in a row.
    public static void rope(RopeShape shape) {
        if (shape.rotaryColumns() % 2 != 0 || shape.rotaryColumns() > shape.headStride()) {
            throw new IllegalArgumentException("rope: " + shape);
        }
    }

    /// What attention reads and writes, but for the numbers in its buffers.
    public static void attention(AttentionShape shape, Rows query, int n, CacheView cache, Rows y) {
        if (shape.heads() < 1 || shape.kvHeads() < 1 || shape.heads() % shape.kvHeads() != 0) {
            throw new IllegalArgumentException("attention: " + shape);
        }
        atLeast("positions", cache.positions(), (long) n * Integer.BYTES);
        atLeast("sequences of rows", cache.sequenceOfRow(), (long) n * Integer.BYTES);
        if (cache.positionMax() / cache.pageRows() >= cache.pagesPerSequence()) {
            throw new IllegalArgumentException("attention: position " + cache.positionMax() + " is beyond "
                    + cache.pagesPerSequence() + " pages of " + cache.pageRows());
        }
        rows("query", query, n, shape.heads() * shape.keyColumns());
        rows("y", y, n, shape.heads() * shape.valueColumns());
    }

    /// How experts are chosen.
    public static void gate(GateShape shape) {
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
