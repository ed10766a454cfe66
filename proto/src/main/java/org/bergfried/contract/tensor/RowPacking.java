package org.bergfried.contract.tensor;

import java.lang.foreign.MemorySegment;

/// Packs rows of int64 without loss: every value of a row takes as many bits, two's complement, as the row's largest
/// needs. Value `i` of `b` bits occupies the bits `[i * b, (i + 1) * b)` of the row's little-endian 64-bit words,
/// lowest
/// bit first.
public final class RowPacking {
    private RowPacking() {}

    /// Bits that each value of a row needs: 0 if all are zero, at most 64.
    ///
    /// @param row    int64 `[columns]` at byte `offset` of the segment.
    /// @param offset in bytes.
    /// @param columns values of the row.
    public static int bits(MemorySegment row, long offset, int columns) {
        long any = 0;
        long magnitudes = 0;
        for (int column = 0; column < columns; column++) {
            long value = row.get(FrameLayout.I64, offset + (long) column * Long.BYTES);
            any |= value;
            magnitudes |= value ^ (value >> 63);
        }
        if (any == 0) {
            return 0;
        }
        return 65 - Long.numberOfLeadingZeros(magnitudes);
    }

    /// Bytes of a packed row.
    public static long packedBytes(int columns, int bits) {
        return ((long) columns * bits + 63) / 64 * Long.BYTES;
    }

    /// Packs a row.
    ///
    /// @param row          int64 `[columns]` at byte `offset`.
    /// @param bits         at least what [#bits] says, at most 64.
    /// @param packed       receives [#packedBytes] bytes at `packedOffset`; must not overlap `row`.
    public static void pack(
            MemorySegment row, long offset, int columns, int bits, MemorySegment packed, long packedOffset) {
        if (bits == 0) {
            return;
        }
        long mask = -1L >>> (64 - bits);
        long word = 0;
        int used = 0;
        long target = packedOffset;
        for (int column = 0; column < columns; column++) {
            long value = row.get(FrameLayout.I64, offset + (long) column * Long.BYTES) & mask;
            word |= value << used;
            used += bits;
            if (used >= 64) {
                packed.set(FrameLayout.I64, target, word);
                target += Long.BYTES;
                used -= 64;
                word = used == 0 ? 0 : value >>> (bits - used);
            }
        }
        if (used > 0) {
            packed.set(FrameLayout.I64, target, word);
        }
    }

    /// Unpacks a row and adds it to a row of sums.
    ///
    /// @param packed    a packed row at byte `packedOffset`.
    /// @param bits      of each value, 0 to 64.
    /// @param sums      int64 `[columns]` at byte `sumsOffset`, added to.
    public static void addTo(
            MemorySegment packed, long packedOffset, int columns, int bits, MemorySegment sums, long sumsOffset) {
        if (bits == 0) {
            return;
        }
        int unused = 64 - bits;
        long bit = 0;
        for (int column = 0; column < columns; column++) {
            long source = packedOffset + (bit >>> 6) * Long.BYTES;
            int shift = (int) (bit & 63);
            long value = packed.get(FrameLayout.I64, source) >>> shift;
            if (shift > unused) {
                value |= packed.get(FrameLayout.I64, source + Long.BYTES) << (64 - shift);
            }
            long target = sumsOffset + (long) column * Long.BYTES;
            sums.set(FrameLayout.I64, target, sums.get(FrameLayout.I64, target) + ((value << unused) >> unused));
            bit += bits;
        }
    }
}
