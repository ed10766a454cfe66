package org.bergfried.worker.kernel.vector;

import static jdk.incubator.vector.VectorOperators.B2I;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static org.bergfried.worker.kernel.cpu.HostBuffer.F32;
import static org.bergfried.worker.kernel.vector.Width.B;
import static org.bergfried.worker.kernel.vector.Width.I;
import static org.bergfried.worker.kernel.vector.Width.LANES;
import static org.bergfried.worker.kernel.vector.Width.LE;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import org.bergfried.worker.kernel.cpu.HostBuffer;
import org.bergfried.worker.kernel.cpu.HostMatrix;
import org.bergfried.worker.kernel.cpu.Scratch;
import org.bergfried.worker.tensor.Float8;
import org.bergfried.worker.tensor.Rows;
import org.bergfried.worker.tensor.StoredTensor;

/// Rule D for FP8 E4M3: of each 128 columns a dot product, times their scale. Four weight rows are widened once for
/// all activation rows.
final class Float8Rows {
    private Float8Rows() {}

    /// As in [VectorProducts#multiply]; `x` of the activations is prepared as for other float types.
    static void multiply(HostMatrix w, int n, Rows y, int from, int to, Scratch scratch) {
        int columns = w.columns();
        int padded = FloatRows.padded(columns);
        MemorySegment out = HostBuffer.segment(y.buffer());
        float[] xs = scratch.shared().floats(0);
        for (int row = from; row < to; row += 4) {
            int last = Math.min(3, to - 1 - row);
            MemorySegment rows = Native.slice(w.weights(), (long) row * columns, (last + 1L) * columns);
            MemorySegment b = FloatRows.widened(w, rows, last, scratch);
            for (int i = 0; i < n; i++) {
                dots(w, row, last, b, xs, i * padded, scratch);
                MemorySegment.copy(scratch.sums(), 4, out, F32, VectorKernels.at(y, i) + 4L * row, last + 1);
            }
        }
    }

    /// Rows `row` to `row + last` with one activation row; results in `scratch.sums()` from 4.
    private static void dots(HostMatrix w, int row, int last, MemorySegment b, float[] xs, int at, Scratch scratch) {
        int padded = FloatRows.padded(w.columns());
        int b1 = Math.min(1, last) * 4 * padded;
        int b2 = Math.min(2, last) * 4 * padded;
        int b3 = last * 4 * padded;
        float[] work = scratch.work(Dots.WORK);
        float[] sums = scratch.sums();
        for (int r = 0; r <= last; r++) {
            sums[4 + r] = 0;
        }
        for (int k = 0; k < w.columns(); k += StoredTensor.SCALE_BLOCK) {
            int count = Math.min(StoredTensor.SCALE_BLOCK, padded - k);
            Dots.four(xs, at + k, b, 4 * k, b1 + 4 * k, b2 + 4 * k, b3 + 4 * k, count, work, sums, 0);
            for (int r = 0; r <= last; r++) {
                sums[4 + r] = Math.fma(sums[r], w.scaleAt(row + r, k), sums[4 + r]);
            }
        }
    }

    /// Codes to F32 without their scales (exact), as in [FloatRows]: the bits are moved to binary32's places, then
    /// the
    /// exponent is corrected. `from`: `[columns]` from byte `fromAt`; `into`: `[padded(columns)]` from byte `at`.
    static void widen(MemorySegment from, int fromAt, int columns, MemorySegment into, int at) {
        int k = 0;
        for (; k <= columns - B.length(); k += B.length()) {
            ByteVector codes = ByteVector.fromMemorySegment(B, from, fromAt + k, LE);
            for (int part = 0; part < B.length() / LANES; part++) {
                IntVector wide = (IntVector) codes.convertShape(B2I, I, part);
                wide.and(0x80000000)
                        .or(wide.and(0x7f).lanewise(LSHL, 20))
                        .reinterpretAsFloats()
                        .mul(0x1p120f)
                        .intoMemorySegment(into, at + 4 * (k + part * LANES), LE);
            }
        }
        for (; k < FloatRows.padded(columns); k++) {
            float value = k < columns ? Float8.toFloat(from.get(HostBuffer.I8, fromAt + k)) : 0;
            into.set(F32, at + 4L * k, value);
        }
    }
}
