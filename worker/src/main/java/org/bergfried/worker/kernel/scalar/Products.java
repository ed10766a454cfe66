package org.bergfried.worker.kernel.scalar;

import static org.bergfried.worker.kernel.cpu.HostBuffer.F32;
import static org.bergfried.worker.kernel.cpu.HostBuffer.I8;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.bergfried.worker.kernel.cpu.HostBuffer;
import org.bergfried.worker.kernel.cpu.HostMatrix;
import org.bergfried.worker.kernel.cpu.Scratch;
import org.bergfried.worker.kernel.cpu.TileLayout;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.ElementType;

/// Rules B, C and D: quantised activations and products with weights.
final class Products {
    private static final int SEGMENT = 256;

    private Products() {}

    /// Rule B of one row. `x`: `columns` floats at byte `xAt`; `q`, `scales`: from byte `qAt`, `scalesAt`.
    static void quantiseRow(
            MemorySegment x, long xAt, int columns, MemorySegment q, long qAt, MemorySegment scales, long scalesAt) {
        for (int b = 0; b < columns / 32; b++) {
            float m = 0;
            boolean finite = true;
            for (int i = 32 * b; i < 32 * b + 32; i++) {
                float v = x.get(F32, xAt + 4L * i);
                finite &= Float.isFinite(v);
                m = Math.max(m, Math.abs(v));
            }
            float dx = !finite ? Float.NaN : m < 0x1p-100f ? 0 : m / 127f;
            float r = dx > 0 ? 1f / dx : 0;
            for (int i = 32 * b; i < 32 * b + 32; i++) {
                float code = r > 0 ? (float) Math.rint(x.get(F32, xAt + 4L * i) * r) : 0;
                q.set(I8, qAt + i, (byte) code);
            }
            scales.set(F32, scalesAt + 4L * b, dx);
        }
    }

    /// Rule C: one output, row `row` of the weights with row `i` of the codes.
    static float codedDot(HostMatrix w, int row, Codes codes, int i, Scratch scratch) {
        ElementType type = w.type();
        MemorySegment weights = w.weights();
        long tile = row / TileLayout.ROWS * TileLayout.tileBytes(type, w.columns());
        int r = row % TileLayout.ROWS;
        int unit = type == ElementType.Q6_K ? 16 : 32; // columns that share a scale
        MemorySegment q = HostBuffer.segment(codes.q());
        MemorySegment scales = HostBuffer.segment(codes.scales());
        long qAt = (long) i * w.columns();
        int[] n = scratch.ints(32);
        float y = 0;
        float acc = 0;
        for (int k = 0; k < w.columns(); k += unit) {
            if (k % 32 == 0) {
                TileLayout.codes(type, weights, tile, r, k / 32, n);
            }
            int sum = 0;
            for (int c = k; c < k + unit; c++) {
                sum += n[c % 32] * q.get(I8, qAt + c);
            }
            float dw = TileLayout.scale(type, weights, tile, r, k / 16);
            float dx = scales.get(F32, (qAt + k) / 32 * 4);
            acc = Math.fma((float) sum, dw * dx, acc);
            int end = k + unit;
            if (end % SEGMENT == 0 || end == w.columns()) {
                y = end <= SEGMENT ? acc : y + acc;
                acc = 0;
            }
        }
        return y;
    }

    /// Rule D: one output, row `row` of the weights with the floats at byte `xAt`.
    static float floatDot(HostMatrix w, int row, MemorySegment x, long xAt, Scratch scratch) {
        float[] s = scratch.sums();
        Arrays.fill(s, 0f);
        int padded = (w.columns() + 31) / 32 * 32;
        for (int k = 0; k < padded; k++) {
            boolean inside = k < w.columns();
            float weight = inside ? w.floatAt(row, k) : 0;
            float activation = inside ? x.get(F32, xAt + 4L * k) : 0;
            s[k % 32] = Math.fma(weight, activation, s[k % 32]);
        }
        return ScalarMath.tree(s);
    }

    /// Rule D of two rows of floats, at bytes `aAt` and `bAt`.
    static float floatDot(MemorySegment a, long aAt, MemorySegment b, long bAt, int columns, float[] s) {
        Arrays.fill(s, 0f);
        int padded = (columns + 31) / 32 * 32;
        for (int k = 0; k < padded; k++) {
            boolean inside = k < columns;
            float left = inside ? a.get(F32, aAt + 4L * k) : 0;
            float right = inside ? b.get(F32, bAt + 4L * k) : 0;
            s[k % 32] = Math.fma(left, right, s[k % 32]);
        }
        return ScalarMath.tree(s);
    }

    /// Embedding (rule G): row `id` of a table, written from byte `yAt`.
    /// `n`: 32 ints of working memory.
    static void embedRow(HostMatrix table, int id, MemorySegment to, long yAt, int[] n) {
        if (!table.type().integerCoded()) {
            for (int k = 0; k < table.columns(); k++) {
                to.set(F32, yAt + 4L * k, table.floatAt(id, k));
            }
            return;
        }
        long tile = id / TileLayout.ROWS * TileLayout.tileBytes(table.type(), table.columns());
        int r = id % TileLayout.ROWS;
        for (int block = 0; block < table.columns() / 32; block++) {
            TileLayout.codes(table.type(), table.weights(), tile, r, block, n);
            for (int c = 0; c < 32; c++) {
                float dw = TileLayout.scale(table.type(), table.weights(), tile, r, 2 * block + c / 16);
                to.set(F32, yAt + 4L * (32 * block + c), n[c] * dw);
            }
        }
    }
}
