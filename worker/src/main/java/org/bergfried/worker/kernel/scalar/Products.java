package org.bergfried.worker.kernel.scalar;

import static org.bergfried.worker.kernel.cpu.HostBuffer.F32;
import static org.bergfried.worker.kernel.cpu.HostBuffer.I8;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.bergfried.worker.kernel.cpu.HostBuffer;
import org.bergfried.worker.kernel.cpu.HostMatrix;
import org.bergfried.worker.kernel.cpu.Scratch;
import org.bergfried.worker.kernel.cpu.TileForm;
import org.bergfried.worker.kernel.cpu.TileLayout;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.Float8;
import org.bergfried.worker.tensor.StoredTensor;

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
        TileForm form = TileForm.of(type);
        int unit = form.unitColumns();
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
            int plain = 0;
            for (int c = k; c < k + unit; c++) {
                sum += n[c % 32] * q.get(I8, qAt + c);
                plain += q.get(I8, qAt + c);
            }
            float dw = TileLayout.scale(type, weights, tile, r, k / 16);
            float dx = scales.get(F32, (qAt + k) / 32 * 4);
            acc = Math.fma((float) sum, dw * dx, acc);
            if (form.hasOffset()) {
                acc = Math.fma(TileLayout.offset(type, weights, tile, r, k / 16), dx * plain, acc);
            }
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
        if (w.type() == ElementType.F8_E4M3) {
            return float8Dot(w, row, x, xAt, s);
        }
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

    /// Rule D of FP8: a dot product of each 128 columns, times their scale.
    private static float float8Dot(HostMatrix w, int row, MemorySegment x, long xAt, float[] s) {
        float y = 0;
        long at = (long) row * w.columns();
        for (int from = 0; from < w.columns(); from += StoredTensor.SCALE_BLOCK) {
            Arrays.fill(s, 0f);
            int end = Math.min(from + StoredTensor.SCALE_BLOCK, (w.columns() + 31) / 32 * 32);
            for (int k = from; k < end; k++) {
                boolean inside = k < w.columns();
                float weight = inside ? Float8.toFloat(w.weights().get(I8, at + k)) : 0;
                float activation = inside ? x.get(F32, xAt + 4L * k) : 0;
                s[k % 32] = Math.fma(weight, activation, s[k % 32]);
            }
            y = Math.fma(ScalarMath.tree(s), w.scaleAt(row, from), y);
        }
        return y;
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
        ElementType type = table.type();
        boolean offset = TileForm.of(type).hasOffset();
        long tile = id / TileLayout.ROWS * TileLayout.tileBytes(type, table.columns());
        int r = id % TileLayout.ROWS;
        for (int half = 0; half < table.columns() / 16; half++) {
            if (half % 2 == 0) {
                TileLayout.codes(type, table.weights(), tile, r, half / 2, n);
            }
            float dw = TileLayout.scale(type, table.weights(), tile, r, half);
            float mw = offset ? TileLayout.offset(type, table.weights(), tile, r, half) : 0;
            for (int c = 0; c < 16; c++) {
                float code = n[half % 2 * 16 + c];
                float value = offset ? Math.fma(code, dw, mw) : code * dw;
                to.set(F32, yAt + 4L * (16 * half + c), value);
            }
        }
    }
}
