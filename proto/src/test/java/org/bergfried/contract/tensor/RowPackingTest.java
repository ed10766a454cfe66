package org.bergfried.contract.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class RowPackingTest {
    private static final long SEED = 20261125;

    @Test
    void packedWordsEqualTheBitByBitTwin() {
        var random = new SplittableRandom(SEED);
        for (int round = 0; round < 2000; round++) {
            int columns = 1 + random.nextInt(70);
            long[] row = row(random, columns);
            int bits = RowPacking.bits(MemorySegment.ofArray(row), 0, columns);
            assertEquals(slowBits(row), bits, "bits in round " + round + " of seed " + SEED);
            long[] packed = new long[(int) (RowPacking.packedBytes(columns, bits) / Long.BYTES)];
            RowPacking.pack(MemorySegment.ofArray(row), 0, columns, bits, MemorySegment.ofArray(packed), 0);
            assertArrayEquals(slowPack(row, bits, packed.length), packed, "round " + round + " of seed " + SEED);
        }
    }

    @Test
    void unpackingAddsTheVeryValues() {
        var random = new SplittableRandom(SEED + 1);
        for (int round = 0; round < 2000; round++) {
            int columns = 1 + random.nextInt(70);
            long[] row = row(random, columns);
            long[] sums = row(random, columns);
            long[] expected = new long[columns];
            for (int i = 0; i < columns; i++) {
                expected[i] = sums[i] + row[i];
            }
            int bits = RowPacking.bits(MemorySegment.ofArray(row), 0, columns);
            long[] packed = new long[columns];
            RowPacking.pack(MemorySegment.ofArray(row), 0, columns, bits, MemorySegment.ofArray(packed), 0);
            RowPacking.addTo(MemorySegment.ofArray(packed), 0, columns, bits, MemorySegment.ofArray(sums), 0);
            assertArrayEquals(expected, sums, "round " + round + " of seed " + SEED);
        }
    }

    @Test
    void extremeValuesTakeTheBitsTheyNeed() {
        assertEquals(0, bits(0, 0));
        assertEquals(1, bits(0, -1));
        assertEquals(2, bits(1, 0));
        assertEquals(8, bits(127, -128));
        assertEquals(9, bits(128));
        assertEquals(63, bits((1L << 62) - 1));
        assertEquals(64, bits(Long.MIN_VALUE));
        assertEquals(64, bits(Long.MAX_VALUE));
    }

    private static int bits(long... row) {
        return RowPacking.bits(MemorySegment.ofArray(row), 0, row.length);
    }

    private static long[] row(SplittableRandom random, int columns) {
        int shift = random.nextInt(65);
        return random.longs(columns)
                .map(value -> shift == 64 ? 0 : value >> shift)
                .toArray();
    }

    private static int slowBits(long[] row) {
        int bits = 0;
        for (long value : row) {
            bits = Math.max(bits, value == 0 ? 0 : BigInteger.valueOf(value).bitLength() + 1);
        }
        return bits;
    }

    private static long[] slowPack(long[] row, int bits, int words) {
        long[] packed = new long[words];
        for (int i = 0; i < row.length * bits; i++) {
            if (BigInteger.valueOf(row[i / bits]).testBit(i % bits)) {
                packed[i / 64] |= 1L << (i % 64);
            }
        }
        return packed;
    }
}
