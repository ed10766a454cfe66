package org.bergfried.worker.kernel.vector;

import static jdk.incubator.vector.VectorOperators.F2D;
import static jdk.incubator.vector.VectorOperators.LT;
import static org.bergfried.worker.kernel.cpu.HostBuffer.F32;
import static org.bergfried.worker.kernel.cpu.HostBuffer.I64;
import static org.bergfried.worker.kernel.vector.Width.D;
import static org.bergfried.worker.kernel.vector.Width.F;
import static org.bergfried.worker.kernel.vector.Width.L;
import static org.bergfried.worker.kernel.vector.Width.LANES;
import static org.bergfried.worker.kernel.vector.Width.LE;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.LongVector;
import org.bergfried.worker.kernel.scalar.ScalarMath;

/// Rule F: sums in 64-bit fixed point.
///
/// Terms below 2^18 are below 2^50 in fixed point, and adding 1.5 * 2^52 rounds them to an integer, to even, which
/// then
/// stands in the low bits of the double. Larger ones are added one at a time.
final class FixedPoint {
    private static final float QUICK_LIMIT = 0x1p18f;
    private static final double ROUNDER = 0x1.8p52;
    private static final long ROUNDER_BITS = Double.doubleToRawLongBits(ROUNDER);
    private static final long HALF_BYTES = 8L * D.length(); // what one vector of doubles or longs holds

    private FixedPoint() {}

    /// `sums = sums + fix(weight * y)`; returns false if a term was left out because it poisons the row.
    ///
    /// @param y    float32 `[columns]`.
    /// @param sums int64 `[columns]`.
    static boolean add(MemorySegment y, float weight, int columns, MemorySegment sums) {
        boolean whole = true;
        int k = 0;
        for (; k <= columns - LANES; k += LANES) {
            FloatVector v = FloatVector.fromMemorySegment(F, y, 4L * k, LE).mul(weight);
            if (v.abs().compare(LT, QUICK_LIMIT).allTrue()) {
                long at = 8L * k;
                LongVector low = ((DoubleVector) v.convertShape(F2D, D, 0))
                        .mul(0x1p32)
                        .add(ROUNDER)
                        .reinterpretAsLongs()
                        .sub(ROUNDER_BITS);
                LongVector.fromMemorySegment(L, sums, at, LE).add(low).intoMemorySegment(sums, at, LE);
                LongVector high = ((DoubleVector) v.convertShape(F2D, D, 1))
                        .mul(0x1p32)
                        .add(ROUNDER)
                        .reinterpretAsLongs()
                        .sub(ROUNDER_BITS);
                LongVector.fromMemorySegment(L, sums, at + HALF_BYTES, LE)
                        .add(high)
                        .intoMemorySegment(sums, at + HALF_BYTES, LE);
            } else {
                whole &= addSingly(y, weight, k, k + LANES, sums);
            }
        }
        whole &= addSingly(y, weight, k, columns, sums);
        return whole;
    }

    private static boolean addSingly(MemorySegment y, float weight, int from, int to, MemorySegment sums) {
        boolean whole = true;
        for (int k = from; k < to; k++) {
            float v = weight * y.get(F32, 4L * k);
            if (ScalarMath.poisons(v)) {
                whole = false;
            } else {
                sums.set(I64, 8L * k, sums.get(I64, 8L * k) + ScalarMath.fix(v));
            }
        }
        return whole;
    }
}
