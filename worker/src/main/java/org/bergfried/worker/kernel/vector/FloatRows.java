package org.bergfried.worker.kernel.vector;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.S2I;
import static org.bergfried.worker.kernel.vector.Width.HALF;
import static org.bergfried.worker.kernel.vector.Width.I;
import static org.bergfried.worker.kernel.vector.Width.LANES;
import static org.bergfried.worker.kernel.vector.Width.LE;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import org.bergfried.worker.kernel.cpu.HostBuffer;
import org.bergfried.worker.kernel.cpu.HostMatrix;
import org.bergfried.worker.kernel.cpu.Scratch;

/// Widens rows of 16-bit floats (exact), padded with zeros to a multiple of 32 columns.
final class FloatRows {
    private FloatRows() {}

    /// Columns with the padding of rule D.
    static int padded(int columns) {
        return (columns + 31) / 32 * 32;
    }

    /// BF16 to F32. `from`: `[columns]` from byte `fromAt`; `into`: `[padded(columns)]` from byte `at`.
    static void widenBf16(MemorySegment from, int fromAt, int columns, MemorySegment into, int at) {
        int k = 0;
        for (; k <= columns - LANES; k += LANES) {
            ((IntVector) ShortVector.fromMemorySegment(HALF, from, fromAt + 2 * k, LE)
                            .convertShape(S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .intoMemorySegment(into, at + 4 * k, LE);
        }
        for (; k < padded(columns); k++) {
            int bits = k < columns ? from.get(HostBuffer.I16, fromAt + 2L * k) << 16 : 0;
            into.set(HostBuffer.I32, at + 4L * k, bits);
        }
    }

    /// F16 to F32, likewise: sign, exponent and fraction are moved to their places, then the exponent is corrected.
    static void widenF16(MemorySegment from, int fromAt, int columns, MemorySegment into, int at) {
        int k = 0;
        for (; k <= columns - LANES; k += LANES) {
            ((IntVector) ShortVector.fromMemorySegment(HALF, from, fromAt + 2 * k, LE)
                            .convertShape(S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .lanewise(ASHR, 3)
                    .and(0x8fffe000)
                    .reinterpretAsFloats()
                    .mul(0x1p112f)
                    .intoMemorySegment(into, at + 4 * k, LE);
        }
        for (; k < padded(columns); k++) {
            float value = k < columns ? Float.float16ToFloat(from.get(HostBuffer.I16, fromAt + 2L * k)) : 0;
            into.set(HostBuffer.F32, at + 4L * k, value);
        }
    }

    /// F32 with padding. `from`: `[columns]` from byte `fromAt`; `into`: `[padded(columns)]` from byte `at`.
    static void pad(MemorySegment from, int fromAt, int columns, MemorySegment into, int at) {
        MemorySegment.copy(from, fromAt, into, at, 4L * columns);
        for (int k = columns; k < padded(columns); k++) {
            into.set(HostBuffer.F32, at + 4L * k, 0f);
        }
    }

    /// Rows `0 .. last` of float weights with padding, in working memory; those of FP8 without their scales.
    static MemorySegment widened(HostMatrix w, MemorySegment rows, int last, Scratch scratch) {
        int columns = w.columns();
        int step = 4 * padded(columns);
        int rowBytes = (int) w.type().rowBytes(columns);
        MemorySegment into = scratch.memory(4L * step);
        for (int r = 0; r <= last; r++) {
            switch (w.type()) {
                case F32 -> pad(rows, r * rowBytes, columns, into, r * step);
                case BF16 -> widenBf16(rows, r * rowBytes, columns, into, r * step);
                case F16 -> widenF16(rows, r * rowBytes, columns, into, r * step);
                case F4_E2M1 -> Float4Rows.widen(rows, r * rowBytes, columns, into, r * step);
                case F8_E4M3 -> Float8Rows.widen(rows, r * rowBytes, columns, into, r * step);
                default -> throw new IllegalArgumentException(w.type() + " has no float rows");
            }
        }
        return into;
    }
}
