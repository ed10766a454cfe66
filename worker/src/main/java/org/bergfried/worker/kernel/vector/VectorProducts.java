package org.bergfried.worker.kernel.vector;

import static org.bergfried.worker.kernel.cpu.HostBuffer.F32;
import static org.bergfried.worker.kernel.cpu.HostBuffer.I8;
import static org.bergfried.worker.kernel.vector.Width.LANES;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.bergfried.worker.kernel.cpu.HostBuffer;
import org.bergfried.worker.kernel.cpu.HostMatrix;
import org.bergfried.worker.kernel.cpu.Scratch;
import org.bergfried.worker.kernel.cpu.TileForm;
import org.bergfried.worker.kernel.cpu.TileLayout;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.Rows;

/// Products (rules C and D): prepares activations, chooses the kernel of a type, and brings the results to their
/// rows.
final class VectorProducts {
    private VectorProducts() {}

    /// Makes room in `shared` for what [#prepare] writes.
    static void reserve(HostMatrix w, int n, Scratch shared) {
        int blocks = n * (w.columns() / 32);
        switch (w.type()) {
            case Q4_0 -> shared.ints(blocks * Q4Kernel.STRIDE);
            case Q6_K -> shared.ints(blocks * Q6Kernel.STRIDE);
            case Q8_0 -> {
                shared.ints(blocks * Q8Kernel.STRIDE);
                shared.floats(n * w.columns());
            }
            case F32, F16, BF16, F8_E4M3, F4_E2M1 -> shared.floats(n * FloatRows.padded(w.columns()));
            default -> {
                shared.ints(blocks * GroupKernel.STRIDE);
                shared.floats(n * w.columns());
            }
        }
    }

    /// As in [org.bergfried.worker.kernel.cpu.Kernels#prepare].
    static void prepare(HostMatrix w, Rows x, Codes codes, int from, int to, Scratch scratch) {
        int columns = w.columns();
        Scratch shared = scratch.shared();
        for (int i = from; i < to; i++) {
            if (w.type().integerCoded()) {
                prepareCodes(w, codes, i, scratch);
            } else {
                int padded = FloatRows.padded(columns);
                float[] floats = shared.floats(0);
                MemorySegment.copy(
                        HostBuffer.segment(x.buffer()), F32, VectorKernels.at(x, i), floats, i * padded, columns);
                Arrays.fill(floats, i * padded + columns, (i + 1) * padded, 0f);
            }
        }
    }

    private static void prepareCodes(HostMatrix w, Codes codes, int i, Scratch scratch) {
        int columns = w.columns();
        int blocks = columns / 32;
        byte[] q = scratch.bytes(columns);
        float[] dx = scratch.floats(blocks);
        MemorySegment.copy(HostBuffer.segment(codes.q()), I8, (long) i * columns, q, 0, columns);
        MemorySegment.copy(HostBuffer.segment(codes.scales()), F32, 4L * i * blocks, dx, 0, blocks);
        int[] xs = scratch.shared().ints(0);
        switch (w.type()) {
            case Q4_0 -> Q4Kernel.prepare(q, dx, columns, xs, i * blocks * Q4Kernel.STRIDE);
            case Q6_K -> Q6Kernel.prepare(q, dx, columns, xs, i * blocks * Q6Kernel.STRIDE);
            case Q8_0 ->
                Q8Kernel.prepare(
                        q,
                        dx,
                        columns,
                        xs,
                        i * blocks * Q8Kernel.STRIDE,
                        scratch.shared().floats(0),
                        i * columns);
            default ->
                GroupKernel.prepare(
                        q,
                        dx,
                        columns,
                        xs,
                        i * blocks * GroupKernel.STRIDE,
                        scratch.shared().floats(0),
                        i * columns);
        }
    }

    /// As in [org.bergfried.worker.kernel.cpu.Kernels#multiply], of what was prepared.
    static void multiply(HostMatrix w, int n, Rows y, int from, int to, Scratch scratch) {
        if (w.type().integerCoded()) {
            multiplyTiles(w, n, y, from, to, scratch);
        } else if (w.type() == ElementType.F8_E4M3) {
            Float8Rows.multiply(w, n, y, from, to, scratch);
        } else if (n == 1 && w.columns() % 32 == 0 && w.type() != ElementType.F4_E2M1) {
            multiplyRow(w, y, from, to, scratch);
        } else {
            multiplyFloats(w, n, y, from, to, scratch);
        }
    }

    private static void multiplyTiles(HostMatrix w, int n, Rows y, int from, int to, Scratch scratch) {
        long tileBytes = TileLayout.tileBytes(w.type(), w.columns());
        MemorySegment out = HostBuffer.segment(y.buffer());
        float[] work = scratch.work(Units.FLOATS);
        for (int row = from; row < to; row += TileLayout.ROWS) {
            MemorySegment tile = Native.slice(w.weights(), row / TileLayout.ROWS * tileBytes, tileBytes);
            int rows = Math.min(TileLayout.ROWS, to - row);
            int i = 0;
            while (i < n) {
                int count = n - i >= 4 ? 4 : 1;
                if (count == 4) {
                    fourWithTile(w, tile, scratch, i, work);
                } else {
                    oneWithTile(w, tile, scratch, i, work);
                }
                for (int c = 0; c < count; c++) {
                    MemorySegment.copy(
                            work, c * TileLayout.ROWS, out, F32, VectorKernels.at(y, i + c) + 4L * row, rows);
                }
                i += count;
            }
        }
    }

    /// Prepared row `i` with a tile.
    private static void oneWithTile(HostMatrix w, MemorySegment tile, Scratch scratch, int i, float[] y) {
        Scratch prepared = scratch.shared();
        int blocks = w.columns() / 32;
        int[] xs = prepared.ints(0);
        switch (w.type()) {
            case Q4_0 -> Q4Kernel.one(tile, blocks, xs, i * blocks * Q4Kernel.STRIDE, y);
            case Q8_0 -> Q8Kernel.one(tile, blocks, xs, i * blocks * Q8Kernel.STRIDE, y);
            case Q6_K -> Q6Kernel.one(tile, blocks, xs, i * blocks * Q6Kernel.STRIDE, y);
            default -> groupsWithTile(w, tile, scratch, i, 1, y);
        }
    }

    /// Prepared rows `i` to `i + 3` with a tile.
    private static void fourWithTile(HostMatrix w, MemorySegment tile, Scratch scratch, int i, float[] work) {
        Scratch prepared = scratch.shared();
        int blocks = w.columns() / 32;
        int[] xs = prepared.ints(0);
        switch (w.type()) {
            case Q4_0 -> {
                int stride = blocks * Q4Kernel.STRIDE;
                Q4Kernel.four(tile, blocks, xs, i * stride, stride, work);
            }
            case Q8_0 -> {
                int at = i * blocks * Q8Kernel.STRIDE;
                Q8Kernel.four(tile, blocks, xs, at, prepared.floats(0), i * w.columns(), work);
            }
            case Q6_K -> {
                int stride = blocks * Q6Kernel.STRIDE;
                Q6Kernel.four(tile, blocks, xs, i * stride, stride, work);
            }
            default -> groupsWithTile(w, tile, scratch, i, 4, work);
        }
    }

    /// One or four prepared rows from `i` with a tile of a type without a kernel of its own.
    private static void groupsWithTile(
            HostMatrix w, MemorySegment tile, Scratch scratch, int i, int count, float[] work) {
        int groups = w.columns() / 32;
        Scratch prepared = scratch.shared();
        MemorySegment bytes = Native.slice(scratch.memory(GroupKernel.GROUP_BYTES), 0, GroupKernel.GROUP_BYTES);
        GroupKernel.multiply(
                TileForm.of(w.type()),
                tile,
                groups,
                prepared.ints(0),
                i * groups * GroupKernel.STRIDE,
                prepared.floats(0),
                i * w.columns(),
                count,
                bytes,
                work);
    }

    /// One activation row.
    private static void multiplyRow(HostMatrix w, Rows y, int from, int to, Scratch scratch) {
        int columns = w.columns();
        long rowBytes = w.type().rowBytes(columns);
        float[] x = scratch.shared().floats(0);
        float[] work = scratch.work(Dots.WORK);
        float[] sums = scratch.sums();
        for (int row = from; row < to; row += sums.length) {
            int count = Math.min(sums.length, to - row);
            MemorySegment rows = Native.slice(w.weights(), row * rowBytes, count * rowBytes);
            switch (w.type()) {
                case F32 -> RowDots.f32(rows, count, columns, x, work, sums);
                case BF16 -> RowDots.bf16(rows, count, columns, x, work, sums);
                case F16 -> RowDots.f16(rows, count, columns, x, work, sums);
                default -> throw new IllegalArgumentException(w.type() + " has no float rows");
            }
            MemorySegment.copy(sums, 0, HostBuffer.segment(y.buffer()), F32, VectorKernels.at(y, 0) + 4L * row, count);
        }
    }

    /// Four weight rows at a time, with each activation row or with four of them.
    private static void multiplyFloats(HostMatrix w, int n, Rows y, int from, int to, Scratch scratch) {
        int padded = FloatRows.padded(w.columns());
        long rowBytes = w.type().rowBytes(w.columns());
        MemorySegment out = HostBuffer.segment(y.buffer());
        float[] xs = scratch.shared().floats(0);
        float[] work = scratch.work(Dots.WORK);
        float[] sums = scratch.sums();
        boolean direct = w.type() == ElementType.F32 && padded == w.columns();
        for (int row = from; row < to; row += 4) {
            int last = Math.min(3, to - 1 - row);
            MemorySegment rows = Native.slice(w.weights(), row * rowBytes, (last + 1) * rowBytes);
            MemorySegment b = direct ? rows : FloatRows.widened(w, rows, last, scratch);
            int b1 = Math.min(1, last) * 4 * padded;
            int b2 = Math.min(2, last) * 4 * padded;
            int b3 = last * 4 * padded;
            int i = 0;
            for (; LANES == 16 && i <= n - 4; i += 4) {
                Dots.eight(xs, i * padded, b, 0, b1, padded, work, sums, 0);
                Dots.eight(xs, i * padded, b, b2, b3, padded, work, sums, 2);
                for (int c = 0; c < 4; c++) {
                    MemorySegment.copy(sums, 4 * c, out, F32, VectorKernels.at(y, i + c) + 4L * row, last + 1);
                }
            }
            for (; i < n; i++) {
                Dots.four(xs, i * padded, b, 0, b1, b2, b3, padded, work, sums, 0);
                MemorySegment.copy(sums, 0, out, F32, VectorKernels.at(y, i) + 4L * row, last + 1);
            }
        }
    }
}
