package org.bergfried.worker.model;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.bergfried.worker.tensor.StoredTensor;

/// Transposed copies of float matrices, on the heap.
final class Transposed {
    /// Rows that are read together, so that what is written for each column is a cache line.
    private static final int ROWS = 32;

    private Transposed() {}

    /// Columns `first`, `first + step` ... as rows.
    static StoredTensor of(StoredTensor tensor, String suffix, int first, int step) {
        int outputs = tensor.columns() / step;
        List<Integer> shape = List.of(outputs, tensor.rows());
        MemorySegment bytes = switch (tensor.type()) {
            case F16, BF16 -> MemorySegment.ofArray(shorts(tensor, first, step, outputs));
            case F32 -> MemorySegment.ofArray(ints(tensor, first, step, outputs));
            default ->
                throw new IllegalArgumentException(
                        tensor.name() + " is " + tensor.type() + " and cannot be transposed");
        };
        return new StoredTensor(tensor.name() + suffix, tensor.type(), shape, bytes);
    }

    private static short[] shorts(StoredTensor tensor, int first, int step, int outputs) {
        int columns = tensor.columns();
        int inputs = tensor.rows();
        var copy = new short[Math.multiplyExact(outputs, inputs)];
        var rows = new short[ROWS * columns];
        for (int input = 0; input < inputs; input += ROWS) {
            int count = Math.min(ROWS, inputs - input);
            long from = (long) input * columns * Short.BYTES;
            MemorySegment.copy(tensor.bytes(), ValueLayout.JAVA_SHORT_UNALIGNED, from, rows, 0, count * columns);
            for (int output = 0; output < outputs; output++) {
                int column = first + output * step;
                for (int row = 0; row < count; row++) {
                    copy[output * inputs + input + row] = rows[row * columns + column];
                }
            }
        }
        return copy;
    }

    private static int[] ints(StoredTensor tensor, int first, int step, int outputs) {
        int columns = tensor.columns();
        int inputs = tensor.rows();
        var copy = new int[Math.multiplyExact(outputs, inputs)];
        var rows = new int[ROWS * columns];
        for (int input = 0; input < inputs; input += ROWS) {
            int count = Math.min(ROWS, inputs - input);
            long from = (long) input * columns * Integer.BYTES;
            MemorySegment.copy(tensor.bytes(), ValueLayout.JAVA_INT_UNALIGNED, from, rows, 0, count * columns);
            for (int output = 0; output < outputs; output++) {
                int column = first + output * step;
                for (int row = 0; row < count; row++) {
                    copy[output * inputs + input + row] = rows[row * columns + column];
                }
            }
        }
        return copy;
    }
}
