package org.bergfried.worker.kernel.vector;

import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static org.bergfried.worker.kernel.vector.Width.BITS;
import static org.bergfried.worker.kernel.vector.Width.I;
import static org.bergfried.worker.kernel.vector.Width.LANES;
import static org.bergfried.worker.kernel.vector.Width.LE;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import org.bergfried.worker.kernel.cpu.TileForm;

/// Brings the codes of a group from their planes to whole bytes, the integers n of rule C, laid out as the plane
/// "bytes" of [org.bergfried.worker.kernel.cpu.TileLayout]. It goes over the bytes once for each plane: loops that do
/// one thing are what the compiler keeps in registers.
final class Unpack {
    private static final VectorSpecies<Byte> BYTES = VectorSpecies.of(byte.class, VectorShape.forBitSize(BITS));
    private static final int WORD_BYTES = 128; // a word of each of 32 rows
    private static final byte[] UNEVEN = repeated(TileForm.Table.UNEVEN);
    private static final byte[] E2M1 = repeated(TileForm.Table.E2M1);

    private Unpack() {}

    private static byte[] repeated(TileForm.Table table) {
        var values = new byte[BYTES.length()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (byte) table.value(i % 16);
        }
        return values;
    }

    /// Unpacks the group from byte `group` of the tile.
    static void group(TileForm form, MemorySegment tile, int group, MemorySegment bytes) {
        int shift = 0;
        if (form.has(TileForm.NIBBLES)) {
            nibbles(tile, group, bytes);
            shift = 4;
        } else {
            bytes.fill((byte) 0);
        }
        if (form.has(TileForm.PAIRS)) {
            pairs(tile, group + form.pairsAt(), bytes, shift);
            shift += 2;
        }
        if (form.has(TileForm.BITS)) {
            bits(tile, group + form.bitsAt(), bytes, shift);
        }
        switch (form.table()) {
            case NONE -> {
                if (form.offset() != 0) {
                    subtract(bytes, (byte) form.offset());
                }
            }
            case UNEVEN -> replace(bytes, UNEVEN);
            case E2M1 -> replace(bytes, E2M1);
        }
    }

    private static void nibbles(MemorySegment tile, int from, MemorySegment bytes) {
        for (int at = 0; at < 4 * WORD_BYTES; at += 4 * LANES) {
            IntVector both = IntVector.fromMemorySegment(I, tile, from + at, LE);
            both.and(0x0f0f0f0f).intoMemorySegment(bytes, at, LE);
            both.lanewise(LSHR, 4).and(0x0f0f0f0f).intoMemorySegment(bytes, at + 4 * WORD_BYTES, LE);
        }
    }

    private static void pairs(MemorySegment tile, int from, MemorySegment bytes, int shift) {
        for (int h = 0; h < 2; h++) {
            for (int row = 0; row < WORD_BYTES; row += 4 * LANES) {
                IntVector pairs = IntVector.fromMemorySegment(I, tile, from + h * WORD_BYTES + row, LE);
                for (int s = 0; s < 4; s++) {
                    int at = (4 * h + s) * WORD_BYTES + row;
                    IntVector.fromMemorySegment(I, bytes, at, LE)
                            .or(pairs.and(0x03030303).lanewise(LSHL, shift))
                            .intoMemorySegment(bytes, at, LE);
                    pairs = pairs.lanewise(LSHR, 2);
                }
            }
        }
    }

    private static void bits(MemorySegment tile, int from, MemorySegment bytes, int shift) {
        for (int row = 0; row < WORD_BYTES; row += 4 * LANES) {
            IntVector bits = IntVector.fromMemorySegment(I, tile, from + row, LE);
            for (int s = 0; s < 8; s++) {
                int at = s * WORD_BYTES + row;
                IntVector.fromMemorySegment(I, bytes, at, LE)
                        .or(bits.and(0x01010101).lanewise(LSHL, shift))
                        .intoMemorySegment(bytes, at, LE);
                bits = bits.lanewise(LSHR, 1);
            }
        }
    }

    private static void subtract(MemorySegment bytes, byte offset) {
        for (int at = 0; at < GroupKernel.GROUP_BYTES; at += BYTES.length()) {
            ByteVector.fromMemorySegment(BYTES, bytes, at, LE).sub(offset).intoMemorySegment(bytes, at, LE);
        }
    }

    private static void replace(MemorySegment bytes, byte[] table) {
        ByteVector values = ByteVector.fromArray(BYTES, table, 0);
        for (int at = 0; at < GroupKernel.GROUP_BYTES; at += BYTES.length()) {
            ByteVector.fromMemorySegment(BYTES, bytes, at, LE)
                    .selectFrom(values)
                    .intoMemorySegment(bytes, at, LE);
        }
    }
}
