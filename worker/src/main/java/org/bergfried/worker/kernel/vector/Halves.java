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
import org.bergfried.worker.kernel.cpu.TileLayout;

/// The f16 scales of a tile's 32 rows.
final class Halves {
    private Halves() {}

    /// Widens 32 f16 numbers from byte `from` of the tile (exact): sign, exponent and fraction are moved to their
    /// places, then the exponent is corrected.
    static void widen(MemorySegment tile, int from, float[] into, int at) {
        for (int row = 0; row < TileLayout.ROWS; row += LANES) {
            ((IntVector) ShortVector.fromMemorySegment(HALF, tile, from + 2 * row, LE)
                            .convertShape(S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .lanewise(ASHR, 3)
                    .and(0x8fffe000)
                    .reinterpretAsFloats()
                    .mul(0x1p112f)
                    .intoArray(into, at + row);
        }
    }
}
