package org.bergfried.worker.tensor;

import java.lang.foreign.MemorySegment;
import java.util.List;

/// A tensor as it lies in a model file: row-major, little-endian, read-only, mapped (or, where a model needs a part
/// cut
/// out or transposed, in
/// private memory of the model).
///
/// @param name  the name in the file.
/// @param type  how its elements are coded.
/// @param shape sizes, outermost first; the last is the number of columns.
/// @param bytes exactly the tensor's bytes.
public record StoredTensor(String name, ElementType type, List<Integer> shape, MemorySegment bytes) {
    public StoredTensor {
        shape = List.copyOf(shape);
        if (shape.isEmpty() || shape.stream().anyMatch(n -> n < 1)) {
            throw new IllegalArgumentException("tensor " + name + " has the shape " + shape);
        }
        long expected = type.rowBytes(shape.getLast());
        for (int size : shape.subList(0, shape.size() - 1)) {
            expected = Math.multiplyExact(expected, (long) size);
        }
        if (bytes.byteSize() != expected) {
            throw new IllegalArgumentException("tensor " + name + " has " + bytes.byteSize() + " bytes where its type "
                    + type + " and shape " + shape + " need " + expected);
        }
    }

    /// Columns of a row: the innermost size.
    public int columns() {
        return shape.getLast();
    }

    /// Rows when all outer sizes are folded into one.
    public int rows() {
        int rows = 1;
        for (int size : shape.subList(0, shape.size() - 1)) {
            rows = Math.multiplyExact(rows, size);
        }
        return rows;
    }

    /// Rows `[from, from + count)` of the folded matrix, sharing the memory.
    public StoredTensor slice(String sliceName, int from, int count) {
        long rowBytes = type.rowBytes(columns());
        return new StoredTensor(
                sliceName, type, List.of(count, columns()), bytes.asSlice(from * rowBytes, count * rowBytes));
    }
}
