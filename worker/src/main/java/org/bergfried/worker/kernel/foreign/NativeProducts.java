package org.bergfried.worker.kernel.foreign;

import java.lang.foreign.MemorySegment;
import org.bergfried.worker.kernel.cpu.HostBuffer;
import org.bergfried.worker.kernel.cpu.HostMatrix;
import org.bergfried.worker.kernel.cpu.Scratch;
import org.bergfried.worker.kernel.cpu.TileLayout;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.Rows;

/// Products (rules C and D). What activations are prepared into, in the working memory that threads share, is known
/// to C alone.
final class NativeProducts {
    private NativeProducts() {}

    /// A type's number in `kernels.h`; integer-coded and float types are counted apart.
    static int number(ElementType type) {
        return switch (type) {
            case F32, Q4_0 -> 0;
            case F16, Q8_0 -> 1;
            case BF16, Q6_K -> 2;
            case F8_E4M3, Q4_K -> 3;
            case F4_E2M1, Q5_K -> 4;
            case Q4_1 -> 5;
            case Q5_0 -> 6;
            case Q5_1 -> 7;
            case Q2_K -> 8;
            case Q3_K -> 9;
            case IQ4_NL -> 10;
            case IQ4_XS -> 11;
            case MXFP4 -> 12;
            case INT4 -> 13;
        };
    }

    /// Makes room in `shared` for [#prepare].
    static void reserve(int variant, HostMatrix w, int n, Scratch shared) {
        shared.memory(preparedBytes(variant, w, n));
    }

    private static long preparedBytes(int variant, HostMatrix w, int n) {
        return w.type().integerCoded()
                ? NativeCalls.PREPARED_BYTES.call(variant, number(w.type()), n, w.columns())
                : NativeCalls.PREPARED_FLOAT_BYTES.call(variant, n, w.columns());
    }

    /// As in [org.bergfried.worker.kernel.cpu.Kernels#prepare].
    static void prepare(int variant, HostMatrix w, Rows x, Codes codes, int n, int from, int to, Scratch scratch) {
        int columns = w.columns();
        long prepared = scratch.shared().memory(0).address();
        if (w.type().integerCoded()) {
            long q = Addresses.of(HostBuffer.segment(codes.q()), 0, (long) n * columns);
            long dx = Addresses.of(HostBuffer.segment(codes.scales()), 0, (long) n * columns / 32 * 4);
            NativeCalls.PREPARE.call(variant, number(w.type()), q, dx, n, columns, from, to, prepared);
        } else {
            NativeCalls.PREPARE_FLOATS.call(
                    variant,
                    number(w.type()),
                    Addresses.of(x, 0, n, columns),
                    x.stride(),
                    n,
                    columns,
                    from,
                    to,
                    prepared);
        }
    }

    /// As in [org.bergfried.worker.kernel.cpu.Kernels#multiply], of what was prepared.
    static void multiply(int variant, HostMatrix w, int n, Rows y, int from, int to, Scratch scratch) {
        int columns = w.columns();
        long prepared = scratch.shared().memory(0).address();
        int number = number(w.type());
        int rows = to - from;
        long out = Addresses.of(y, 0, n, from, rows);
        if (w.type().integerCoded()) {
            long tileBytes = TileLayout.tileBytes(w.type(), columns);
            int tile = from / TileLayout.ROWS;
            long tiles = Addresses.of(w.weights(), tile * tileBytes, TileLayout.tiles(rows) * tileBytes);
            long memory = scratch.memory(NativeCalls.SCRATCH_BYTES.call(variant, number, n, columns))
                    .address();
            NativeCalls.MULTIPLY.call(variant, number, tiles, rows, columns, prepared, n, out, y.stride(), memory);
        } else {
            long rowBytes = w.type().rowBytes(columns);
            long weights = Addresses.of(w.weights(), from * rowBytes, rows * rowBytes);
            long memory = scratch.memory(NativeCalls.FLOAT_SCRATCH_BYTES.call(variant, n, columns))
                    .address();
            NativeCalls.MULTIPLY_FLOATS.call(
                    variant, number, weights, rows, columns, scales(w), from, prepared, n, out, y.stride(), memory);
        }
    }

    private static long scales(HostMatrix w) {
        MemorySegment scales = w.scales();
        return scales == null ? 0 : Addresses.of(scales, 0, scales.byteSize());
    }
}
