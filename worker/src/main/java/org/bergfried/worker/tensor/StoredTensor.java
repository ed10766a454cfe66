package org.bergfried.worker.tensor;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A tensor as it lies in a model file: row-major, little-endian, read-only, mapped (or, where a model needs a part
/// cut
/// out or transposed, in
/// private memory of the model).
///
/// @param name  the name in the file.
/// @param type  how its elements are coded.
/// @param shape sizes, outermost first; the last is the number of columns.
/// @param bytes exactly the tensor's bytes.
/// @param scales of an [ElementType#F8_E4M3]: float32 `[scaleBlocks(rows), scaleBlocks(columns)]`, one for 128 x 128
///     weights (fewer at the edges); null for other types.
public record StoredTensor(
        String name,
        ElementType type,
        List<Integer> shape,
        MemorySegment bytes,
        @Nullable MemorySegment scales) {
    /// Rows and columns that share a scale of an [ElementType#F8_E4M3].
    public static final int SCALE_BLOCK = 128;

    /// A tensor without scales of its own.
    public StoredTensor(String name, ElementType type, List<Integer> shape, MemorySegment bytes) {
        this(name, type, shape, bytes, null);
    }

    /// Blocks of 128 that `size` rows or columns need.
    public static int scaleBlocks(int size) {
        return (int) (((long) size + SCALE_BLOCK - 1) / SCALE_BLOCK);
    }

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
        if ((scales != null) != (type == ElementType.F8_E4M3)) {
            throw new IllegalArgumentException(
                    "tensor " + name + " of type " + type + " has " + (scales == null ? "no scales" : "scales"));
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
        MemorySegment part = bytes.asSlice(from * rowBytes, count * rowBytes);
        return new StoredTensor(sliceName, type, List.of(count, columns()), part, sliceScales(from, count));
    }

    private @Nullable MemorySegment sliceScales(int from, int count) {
        if (scales == null) {
            return null;
        }
        if (from % SCALE_BLOCK != 0) {
            throw new IllegalArgumentException(
                    "tensor " + name + " cannot be cut at row " + from + ": 128 rows share a scale");
        }
        long rowBytes = (long) Float.BYTES * scaleBlocks(columns());
        return scales.asSlice(from / SCALE_BLOCK * rowBytes, scaleBlocks(count) * rowBytes);
    }

    /// The scales of an [ElementType#F8_E4M3].
    public MemorySegment requireScales() {
        MemorySegment known = scales;
        if (known == null) {
            throw new IllegalStateException("tensor " + name + " has no scales");
        }
        return known;
    }
}
