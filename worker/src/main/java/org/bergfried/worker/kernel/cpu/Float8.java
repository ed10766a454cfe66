package org.bergfried.worker.kernel.cpu;

import static org.bergfried.worker.kernel.cpu.HostBuffer.F32;
import static org.bergfried.worker.kernel.cpu.HostBuffer.I8;

import java.lang.foreign.MemorySegment;
import org.bergfried.worker.tensor.StoredTensor;

/// FP8 E4M3: a sign, four bits of exponent with the bias 7, three of fraction; 0x7f and 0xff are NaN, there is no
/// infinity.
public final class Float8 {
    private Float8() {}

    /// The number of a code (exact): its bits at the places of binary32's, then the exponent is corrected.
    public static float toFloat(byte code) {
        return Float.intBitsToFloat(((code & 0x80) << 24) | ((code & 0x7f) << 20)) * 0x1p120f;
    }

    /// Refuses NaN among codes and numbers that are not finite among scales.
    static void check(StoredTensor tensor, int from, int to) {
        MemorySegment bytes = tensor.bytes();
        int columns = tensor.columns();
        for (long at = (long) from * columns; at < (long) to * columns; at++) {
            if ((bytes.get(I8, at) & 0x7f) == 0x7f) {
                throw WeightCheck.corrupt(tensor, at / columns, at % columns);
            }
        }
        MemorySegment scales = tensor.requireScales();
        int across = StoredTensor.scaleBlocks(columns);
        int down = StoredTensor.scaleBlocks(to);
        for (int row = from / StoredTensor.SCALE_BLOCK; row < down; row++) {
            for (int block = 0; block < across; block++) {
                if (!Float.isFinite(scales.get(F32, 4L * ((long) row * across + block)))) {
                    throw WeightCheck.corrupt(
                            tensor, (long) row * StoredTensor.SCALE_BLOCK, (long) block * StoredTensor.SCALE_BLOCK);
                }
            }
        }
    }
}
