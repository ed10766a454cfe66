package org.bergfried.worker.kernel.vector;

import static jdk.incubator.vector.VectorOperators.B2F;
import static jdk.incubator.vector.VectorOperators.B2I;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.S2I;
import static org.bergfried.worker.kernel.vector.Width.B;
import static org.bergfried.worker.kernel.vector.Width.F;
import static org.bergfried.worker.kernel.vector.Width.HALF;
import static org.bergfried.worker.kernel.vector.Width.I;
import static org.bergfried.worker.kernel.vector.Width.LANES;
import static org.bergfried.worker.kernel.vector.Width.LE;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import org.bergfried.worker.kernel.cpu.TileForm;
import org.bergfried.worker.kernel.cpu.TileLayout;

/// dw and mw of rule C of a tile's 32 rows, brought to the working memory of [Units].
final class GroupScales {
    private GroupScales() {}

    /// Widens the head of a group's block, if it has one.
    static void head(TileForm form, MemorySegment tile, int group, float[] work) {
        for (int part = 0; part < form.scales().headBytes() / 64; part++) {
            Halves.widen(tile, form.headAt(group) + 64 * part, work, Units.HEAD + TileLayout.ROWS * part);
        }
    }

    /// The scales and offsets of a group's unit (one of 32 columns or two of 16), as unit `u` of the segment.
    static void unit(TileForm form, MemorySegment tile, int group, int unit, float[] work, int u) {
        int from = form.groupAt(group) + form.scalesAt();
        int scale = Units.WEIGHT_SCALES + TileLayout.ROWS * u;
        int offset = Units.OFFSETS + TileLayout.ROWS * u;
        switch (form.scales()) {
            case HALF -> Halves.widen(tile, from, work, scale);
            case HALF_AND_OFFSET -> {
                Halves.widen(tile, from, work, scale);
                Halves.widen(tile, from + 64, work, offset);
            }
            case BFLOAT -> bfloats(tile, from, work, scale);
            case EXPONENT -> exponents(tile, from, work, scale);
            case UNIT -> scaled(tile, from, Units.HEAD, work, scale);
            case TWO_UNITS -> scaled(tile, from + TileLayout.ROWS * unit, Units.HEAD, work, scale);
            case UNIT_AND_OFFSET -> {
                scaled(tile, from, Units.HEAD, work, scale);
                scaled(tile, from + TileLayout.ROWS, Units.HEAD + TileLayout.ROWS, work, offset);
                negate(work, offset);
            }
            case UNIT_AND_OFFSET_IN_NIBBLES -> {
                lowNibbles(tile, from + TileLayout.ROWS * unit, work, scale);
                highNibbles(tile, from + TileLayout.ROWS * unit, work, offset);
                negate(work, offset);
            }
        }
    }

    private static void bfloats(MemorySegment tile, int from, float[] work, int to) {
        for (int row = 0; row < TileLayout.ROWS; row += LANES) {
            ((IntVector) ShortVector.fromMemorySegment(HALF, tile, from + 2 * row, LE)
                            .convertShape(S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats()
                    .intoArray(work, to + row);
        }
    }

    /// 2^(e - 128) as the product of two powers that are normal numbers, exact for every byte.
    private static void exponents(MemorySegment tile, int from, float[] work, int to) {
        for (int row = 0; row < TileLayout.ROWS; row += B.length()) {
            ByteVector bytes = ByteVector.fromMemorySegment(B, tile, from + row, LE);
            for (int part = 0; part < B.length() / LANES; part++) {
                IntVector e = ((IntVector) bytes.convertShape(B2I, I, part)).and(255);
                IntVector half = e.lanewise(LSHR, 1);
                FloatVector low = half.add(63).lanewise(LSHL, 23).reinterpretAsFloats();
                FloatVector high = e.sub(half).add(63).lanewise(LSHL, 23).reinterpretAsFloats();
                low.mul(high).intoArray(work, to + row + part * LANES);
            }
        }
    }

    /// Signed bytes (those without a sign are below 64) times a part of the head.
    private static void scaled(MemorySegment tile, int from, int head, float[] work, int to) {
        for (int row = 0; row < TileLayout.ROWS; row += B.length()) {
            multiply(ByteVector.fromMemorySegment(B, tile, from + row, LE), head + row, work, to + row);
        }
    }

    private static void lowNibbles(MemorySegment tile, int from, float[] work, int to) {
        for (int row = 0; row < TileLayout.ROWS; row += B.length()) {
            multiply(
                    ByteVector.fromMemorySegment(B, tile, from + row, LE).and((byte) 15),
                    Units.HEAD + row,
                    work,
                    to + row);
        }
    }

    private static void highNibbles(MemorySegment tile, int from, float[] work, int to) {
        for (int row = 0; row < TileLayout.ROWS; row += B.length()) {
            multiply(
                    ByteVector.fromMemorySegment(B, tile, from + row, LE)
                            .lanewise(LSHR, 4)
                            .and((byte) 15),
                    Units.HEAD + TileLayout.ROWS + row,
                    work,
                    to + row);
        }
    }

    private static void multiply(ByteVector bytes, int head, float[] work, int to) {
        for (int part = 0; part < B.length() / LANES; part++) {
            FloatVector.fromArray(F, work, head + part * LANES)
                    .mul(bytes.convertShape(B2F, F, part))
                    .intoArray(work, to + part * LANES);
        }
    }

    private static void negate(float[] work, int at) {
        for (int row = at; row < at + TileLayout.ROWS; row += LANES) {
            FloatVector.fromArray(F, work, row).neg().intoArray(work, row);
        }
    }
}
