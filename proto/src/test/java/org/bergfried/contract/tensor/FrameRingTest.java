package org.bergfried.contract.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class FrameRingTest {
    private static final long SEED = 5;

    @Test
    void framesInUseNeverOverlapWhateverTheOrderTheyAreClosedIn() {
        var random = new SplittableRandom(SEED);
        try (var arena = Arena.ofConfined()) {
            var ring = new FrameRing(arena, 4096);
            var inUse = new ArrayList<FrameRing.Slot>();
            int taken = 0;
            for (int round = 0; round < 20_000; round++) {
                int bytes = 1 + random.nextInt(900);
                boolean fits = ring.fits(bytes);
                FrameRing.Slot slot = ring.take(bytes);
                assertEquals(fits, slot != null);
                if (slot != null) {
                    slot.bytes().fill((byte) round);
                    slot.bytes().set(ValueLayout.JAVA_BYTE, 0, (byte) taken);
                    for (var other : inUse) {
                        assertFalse(
                                slot.bytes().asOverlappingSlice(other.bytes()).isPresent());
                    }
                    inUse.add(slot);
                    taken++;
                }
                while (!inUse.isEmpty() && random.nextInt(3) == 0) {
                    inUse.remove(random.nextInt(inUse.size())).close();
                }
            }
            assertTrue(taken > 1000, "only " + taken + " frames found room, seed " + SEED);
        }
    }

    @Test
    void aRingOfTheComputedSizeTakesItsPayloadInAnyMixture() {
        var random = new SplittableRandom(SEED);
        try (var arena = Arena.ofConfined()) {
            var ring = new FrameRing(arena, FrameRing.bytesFor(64 * 100, 640));
            var inUse = new java.util.ArrayDeque<FrameRing.Slot>();
            long used = 0;
            for (int round = 0; round < 10_000; round++) {
                int bytes = 64 * (1 + random.nextInt(10));
                while (used + bytes > 6400) {
                    used -= inUse.getFirst().bytes().byteSize();
                    inUse.removeFirst().close();
                }
                inUse.addLast(java.util.Objects.requireNonNull(ring.take(bytes)));
                used += bytes;
            }
        }
    }

    @Test
    void aFullRingGivesNothing() {
        try (var arena = Arena.ofConfined()) {
            var ring = new FrameRing(arena, 128);
            var slot = ring.take(128);
            assertNull(ring.take(1));
            java.util.Objects.requireNonNull(slot).close();
            assertNotNull(ring.take(128));
        }
    }
}
