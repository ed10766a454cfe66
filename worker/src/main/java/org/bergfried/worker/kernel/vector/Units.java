package org.bergfried.worker.kernel.vector;

import static org.bergfried.worker.kernel.vector.Width.F;
import static org.bergfried.worker.kernel.vector.Width.LANES;

import jdk.incubator.vector.FloatVector;
import org.bergfried.worker.kernel.cpu.TileLayout;

/// Rule C behind the integer sums, for four activation rows with the 32 rows of a tile.
///
/// A kernel first leaves the exact sums, weight scales and activation scales of a segment of 256 columns in working
/// memory and has them added here. Both halves stay small enough for the compiler, which otherwise keeps the float
/// sums
/// of a large kernel as objects.
///
/// Working memory, [#FLOATS] floats: the results `[4, 32]`; then by unit of the segment the sums `[16, 4, 32]`, the
/// weight scales `[16, 32]` and the activation scales `[16, 4]`; then, for types with offsets, those of the weights
/// `[16, 32]` and the scaled sums of the activations `[16, 4]`; then the widened head of a block `[2, 32]`.
final class Units {
    /// Where the sums begin.
    static final int SUMS = 4 * TileLayout.ROWS;
    /// Where the weight scales begin.
    static final int WEIGHT_SCALES = SUMS + 16 * 4 * TileLayout.ROWS;
    /// Where the activation scales begin.
    static final int SCALES = WEIGHT_SCALES + 16 * TileLayout.ROWS;
    /// Where the weight offsets begin.
    static final int OFFSETS = SCALES + 16 * 4;
    /// Where the scaled sums of activations (sx of rule B) begin.
    static final int SCALED_SUMS = OFFSETS + 16 * TileLayout.ROWS;
    /// Where the head of a block begins.
    static final int HEAD = SCALED_SUMS + 16 * 4;
    /// Floats of working memory.
    static final int FLOATS = HEAD + 2 * TileLayout.ROWS;

    private Units() {}

    /// Adds a segment of `units` units to the results; the first one is taken as it is.
    static void addSegment(float[] work, int units, boolean first) {
        addSegment(work, 4, units, first);
    }

    /// The same for the first `count` of the four activation rows.
    static void addSegment(float[] work, int count, int units, boolean first) {
        for (int c = 0; c < count; c++) {
            for (int row = 0; row < TileLayout.ROWS; row += LANES) {
                FloatVector sum = FloatVector.zero(F);
                for (int u = 0; u < units; u++) {
                    FloatVector scale = FloatVector.fromArray(F, work, WEIGHT_SCALES + TileLayout.ROWS * u + row)
                            .mul(work[SCALES + 4 * u + c]);
                    sum = FloatVector.fromArray(F, work, SUMS + TileLayout.ROWS * (4 * u + c) + row)
                            .fma(scale, sum);
                }
                int to = TileLayout.ROWS * c + row;
                if (first) {
                    sum.intoArray(work, to);
                } else {
                    FloatVector.fromArray(F, work, to).add(sum).intoArray(work, to);
                }
            }
        }
    }

    /// The same with offsets of the weights: after each unit's product, offset times scaled sum.
    static void addSegmentWithOffsets(float[] work, int count, int units, boolean first) {
        for (int c = 0; c < count; c++) {
            for (int row = 0; row < TileLayout.ROWS; row += LANES) {
                FloatVector sum = FloatVector.zero(F);
                for (int u = 0; u < units; u++) {
                    FloatVector scale = FloatVector.fromArray(F, work, WEIGHT_SCALES + TileLayout.ROWS * u + row)
                            .mul(work[SCALES + 4 * u + c]);
                    sum = FloatVector.fromArray(F, work, SUMS + TileLayout.ROWS * (4 * u + c) + row)
                            .fma(scale, sum);
                    sum = FloatVector.fromArray(F, work, OFFSETS + TileLayout.ROWS * u + row)
                            .fma(FloatVector.broadcast(F, work[SCALED_SUMS + 4 * u + c]), sum);
                }
                int to = TileLayout.ROWS * c + row;
                if (first) {
                    sum.intoArray(work, to);
                } else {
                    FloatVector.fromArray(F, work, to).add(sum).intoArray(work, to);
                }
            }
        }
    }
}
