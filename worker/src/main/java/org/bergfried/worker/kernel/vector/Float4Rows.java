package org.bergfried.worker.kernel.vector;

import static jdk.incubator.vector.VectorOperators.B2I;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static org.bergfried.worker.kernel.vector.Width.B;
import static org.bergfried.worker.kernel.vector.Width.I;
import static org.bergfried.worker.kernel.vector.Width.LANES;
import static org.bergfried.worker.kernel.vector.Width.LE;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import org.bergfried.worker.kernel.cpu.HostBuffer;
import org.bergfried.worker.tensor.Float4;

/// Widens rows of FP4 E2M1 (exact).
final class Float4Rows {
    private Float4Rows() {}

    /// As in [FloatRows]. `from`: `[columns]` from byte `fromAt`, in blocks of 32; `into`: `[columns]` from byte
    /// `at`.
    static void widen(MemorySegment from, int fromAt, int columns, MemorySegment into, int at) {
        for (int block = 0; block < columns / Float4.BLOCK_COLUMNS; block++) {
            int codes = fromAt + block * Float4.BLOCK_BYTES;
            float scale = Float4.scale(from.get(HostBuffer.I8, codes));
            int to = at + 4 * Float4.BLOCK_COLUMNS * block;
            for (int k = 0; k < 16; k += B.length()) {
                ByteVector both = ByteVector.fromMemorySegment(B, from, codes + 1 + k, LE);
                for (int part = 0; part < B.length() / LANES; part++) {
                    IntVector wide = (IntVector) both.convertShape(B2I, I, part);
                    int low = to + 4 * (k + part * LANES);
                    floats(wide, scale, into, low);
                    floats(wide.lanewise(LSHR, 4), scale, into, low + 64);
                }
            }
        }
    }

    private static void floats(IntVector codes, float scale, MemorySegment into, int at) {
        codes.and(8)
                .lanewise(LSHL, 28)
                .or(codes.and(7).lanewise(LSHL, 22))
                .reinterpretAsFloats()
                .mul(0x1p126f)
                .mul(scale)
                .intoMemorySegment(into, at, LE);
    }
}
