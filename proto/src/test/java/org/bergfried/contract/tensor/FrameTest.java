package org.bergfried.contract.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.Limits;
import org.junit.jupiter.api.Test;

final class FrameTest {
    private static final long SEED = 42;
    private static final String DIGEST = "0123456789abcdef".repeat(4);

    @Test
    void helloComesBackAsItWasSent() {
        var hello = HelloFrame.of("worker-1", 7, DIGEST, "b1-f32-d", DispatchClass.PREFILL, 7168);
        assertEquals(hello, HelloFrame.parse(MemorySegment.ofArray(hello.encode())));
    }

    @Test
    void helloOfALaterMinorVersionWithMoreFieldsIsTaken() {
        var hello = HelloFrame.of("worker-1", 7, DIGEST, "b1-f32-d", DispatchClass.DECODE, 64);
        byte[] longer = Arrays.copyOf(hello.encode(), hello.encode().length + 48);
        longer[4] = 9;
        HelloFrame read = HelloFrame.parse(MemorySegment.ofArray(longer));
        assertEquals(9, read.minor());
        assertEquals("worker-1", read.workerId());
    }

    @Test
    void helloOfAnotherMajorVersionIsRefusedByItsNumber() {
        byte[] bytes = HelloFrame.of("w", 7, DIGEST, "b1-f32-d", DispatchClass.DECODE, 64)
                .encode();
        bytes[2] = 2;
        var e = assertThrows(ClusterException.class, () -> HelloFrame.parse(MemorySegment.ofArray(bytes)));
        assertTrue(e.text().contains("step protocol 2.0"), e.text());
    }

    @Test
    void helloNamesWhatDiffers() {
        var ours = HelloFrame.of("a", 1, DIGEST, "b1-f32-d", DispatchClass.DECODE, 64);
        var other = HelloFrame.of("b", 1, DIGEST, "b1-f16-d", DispatchClass.DECODE, 64);
        var e = assertThrows(ClusterException.class, () -> ours.requireSameModel(other));
        assertTrue(e.text().contains("b1-f16-d"), e.text());
    }

    @Test
    void dispatchComesBackAsItWasWrittenInAlignedSections() {
        var random = new SplittableRandom(SEED);
        for (int round = 0; round < 200; round++) {
            DispatchFrame written = randomDispatch(random);
            DispatchFrame read = DispatchFrame.parse(written.bytes());
            assertEquals(written.header(), read.header());
            for (int row = 0; row < read.rows(); row++) {
                for (int place = 0; place < read.header().width(); place++) {
                    assertEquals(written.expert(row, place), read.expert(row, place));
                    assertEquals(written.weight(row, place), read.weight(row, place));
                }
            }
            assertEquals(-1, written.values().mismatch(read.values()));
            assertEquals(-1, written.scales().mismatch(read.scales()));
            assertEquals(0, (read.values().address() - read.bytes().address()) % 16);
            assertEquals(0, (read.scales().address() - read.bytes().address()) % 16);
        }
    }

    @Test
    void resultBringsTheSumsOfEveryRowAndKeepsPoisonInItsRow() {
        int rows = 5;
        int columns = 33;
        long[] sums = new SplittableRandom(SEED).longs((long) rows * columns).toArray();
        for (int i = 0; i < columns; i++) {
            sums[columns + i] >>= 20;
            sums[2 * columns + i] = 0;
        }
        int[] poisoned = {0, 0, 0, 1, 0};
        byte[] target = new byte[(int) ResultFrame.bytesMax(rows, columns)];
        long bytes = ResultFrame.writeRows(
                MemorySegment.ofArray(target),
                99,
                rows,
                columns,
                MemorySegment.ofArray(sums),
                MemorySegment.ofArray(poisoned));
        var read = ResultFrame.parse(MemorySegment.ofArray(target).asSlice(0, bytes));
        assertEquals(ResultFrame.Outcome.ROWS, read.outcome());
        assertEquals(99, read.dispatchId());
        assertEquals(columns, read.columns());
        for (int row = 0; row < rows; row++) {
            assertEquals(row == 3, read.poisoned(row));
            long[] got = new long[columns];
            read.addTo(row, MemorySegment.ofArray(got), 0);
            long[] expected = Arrays.copyOfRange(sums, row * columns, (row + 1) * columns);
            assertArrayEquals(row == 3 ? new long[columns] : expected, got);
        }
    }

    @Test
    void refusalsComeBackAsTheyWereSent() {
        var stale = ResultFrame.parse(MemorySegment.ofArray(ResultFrame.encode(ResultFrame.Outcome.STALE, 3, 12)));
        assertEquals(12, stale.epoch());
        assertEquals(3, stale.dispatchId());
        var missing =
                ResultFrame.parse(MemorySegment.ofArray(ResultFrame.encode(ResultFrame.Outcome.MISSING, 4, 0, 8, 5)));
        assertArrayEquals(new int[] {8, 5}, missing.missing());
        assertEquals(
                7,
                CreditFrame.parse(MemorySegment.ofArray(new CreditFrame(7).encode()))
                        .rows());
    }

    @Test
    void noFrameOfRowsPerFrameIsAboveTheLimitNorItsAnswer() {
        for (int columns : new int[] {32, 64, 192, 2048, 7168, 8192}) {
            for (RowEncoding encoding : RowEncoding.values()) {
                int rows = DispatchFrame.rowsPerFrame(encoding, 8, columns);
                assertTrue(DispatchFrame.bytes(encoding, rows, 8, columns) <= Limits.FRAME_BYTES);
                assertTrue(ResultFrame.bytesMax(rows, columns) <= Limits.FRAME_BYTES);
                assertTrue(rows >= 1);
            }
        }
    }

    @Test
    void anExpertTwiceInARowIsRefused() {
        var frame = DispatchFrame.create(MemorySegment.ofArray(new byte[4096]), header(RowEncoding.FLOATS, 1, 2, 4));
        frame.set(0, 0, 3, 1f);
        frame.set(0, 1, 3, 1f);
        assertThrows(ClusterException.class, () -> DispatchFrame.parse(frame.bytes()));
    }

    @Test
    void aFrameAboveOneMebibyteIsTooLarge() {
        byte[] bytes = new byte[Limits.FRAME_BYTES + 1];
        bytes[0] = 2;
        var e = assertThrows(ClusterException.class, () -> DispatchFrame.parse(MemorySegment.ofArray(bytes)));
        assertEquals(ErrorReason.TOO_LARGE, e.reason());
    }

    /// Every cut and thousands of changed bytes: each frame is either read or refused with a ClusterException, and
    /// reading what was accepted stays in bounds.
    @Test
    void damagedFramesAreRefusedOrHarmless() {
        var random = new SplittableRandom(SEED);
        int refused = 0;
        for (int round = 0; round < 20_000; round++) {
            byte[] bytes = damage(validFrame(random), random);
            MemorySegment frame = MemorySegment.ofArray(bytes);
            try {
                use(frame);
            } catch (ClusterException e) {
                assertFalse(e.text().isEmpty());
                refused++;
            }
        }
        assertTrue(refused > 5000, "only " + refused + " of seed " + SEED + " were refused");
    }

    private static void use(MemorySegment frame) {
        switch (FrameKind.of(frame)) {
            case HELLO -> HelloFrame.parse(frame);
            case CREDIT -> CreditFrame.parse(frame);
            case DISPATCH -> {
                var dispatch = DispatchFrame.parse(frame);
                assertTrue(dispatch.values().byteSize() + dispatch.scales().byteSize() <= frame.byteSize());
                dispatch.weight(dispatch.rows() - 1, dispatch.header().width() - 1);
            }
            case RESULT -> {
                var result = ResultFrame.parse(frame);
                long[] sums = new long[result.columns()];
                for (int row = 0; row < result.rows(); row++) {
                    result.addTo(row, MemorySegment.ofArray(sums), 0);
                    result.poisoned(row);
                }
            }
        }
    }

    private static byte[] validFrame(SplittableRandom random) {
        return switch (random.nextInt(4)) {
            case 0 ->
                HelloFrame.of("w", 7, DIGEST, "b1-f32-d", DispatchClass.DECODE, 64)
                        .encode();
            case 1 -> randomDispatch(random).bytes().toArray(ValueLayout.JAVA_BYTE);
            case 2 -> ResultFrame.encode(ResultFrame.Outcome.MISSING, 4, 0, 8, 5);
            default -> randomResult(random);
        };
    }

    private static byte[] damage(byte[] bytes, SplittableRandom random) {
        byte[] damaged = random.nextBoolean() ? bytes.clone() : Arrays.copyOf(bytes, random.nextInt(bytes.length + 40));
        for (int i = random.nextInt(4); i > 0 && damaged.length > 0; i--) {
            int at = random.nextInt(Math.min(damaged.length, random.nextBoolean() ? 64 : damaged.length));
            damaged[at] = (byte) (random.nextBoolean() ? 0xff : random.nextInt());
        }
        return damaged;
    }

    private static byte[] randomResult(SplittableRandom random) {
        int rows = 1 + random.nextInt(4);
        int columns = 1 + random.nextInt(40);
        long[] sums = random.longs((long) rows * columns)
                .map(v -> v >> random.nextInt(64))
                .toArray();
        byte[] target = new byte[(int) ResultFrame.bytesMax(rows, columns)];
        long bytes = ResultFrame.writeRows(
                MemorySegment.ofArray(target),
                1,
                rows,
                columns,
                MemorySegment.ofArray(sums),
                MemorySegment.ofArray(new int[rows]));
        return Arrays.copyOf(target, (int) bytes);
    }

    private static DispatchFrame randomDispatch(SplittableRandom random) {
        RowEncoding encoding = random.nextBoolean() ? RowEncoding.QUANTISED : RowEncoding.FLOATS;
        int rows = 1 + random.nextInt(9);
        int width = 1 + random.nextInt(8);
        int columns = 32 * (1 + random.nextInt(4));
        byte[] target = new byte[(int) DispatchFrame.bytes(encoding, rows, width, columns)];
        random.nextBytes(target);
        var frame = DispatchFrame.create(MemorySegment.ofArray(target), header(encoding, rows, width, columns));
        for (int row = 0; row < rows; row++) {
            for (int place = 0; place < width; place++) {
                frame.set(row, place, random.nextBoolean() ? -1 : place * 100 + row, (float) random.nextDouble());
            }
        }
        return frame;
    }

    private static DispatchFrame.Header header(RowEncoding encoding, int rows, int width, int columns) {
        return new DispatchFrame.Header(
                5, 6, 7, DispatchClass.DECODE, encoding, true, 11, 12, 13, 3000, rows, width, columns);
    }
}
