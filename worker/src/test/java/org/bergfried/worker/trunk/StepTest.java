package org.bergfried.worker.trunk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.bergfried.worker.Golden;
import org.bergfried.worker.kvcache.SequenceMemory;
import org.bergfried.worker.trunk.Step.Logits;
import org.bergfried.worker.trunk.Step.Slice;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class StepTest {
    private final TrunkRig rig = TrunkRig.golden("deepseek_v3", "auto");
    private final int[] ids = BitsTest.repeat(Golden.read("deepseek_v3").ids(), 200);
    private final SequenceMemory first = rig.memory(200);
    private final SequenceMemory second = rig.memory(200);

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    void givesLogitsOfTheWantedRowsInOrder() {
        float[][] expected = rig.logits(ids, 50);
        StepRunner.Outcome outcome =
                rig.step(new Slice(first, ids, 0, 10, Logits.NONE), new Slice(second, ids, 0, 10, Logits.ALL));
        assertEquals(
                10L * rig.trunk.vocabularySize() * Float.BYTES, outcome.logits().byteSize());
        assertArrayEquals(expected[0], rig.row(outcome, 0));
        assertArrayEquals(expected[9], rig.row(outcome, 9));
        outcome = rig.step(new Slice(second, ids, 10, 5, Logits.LAST), new Slice(first, ids, 10, 2, Logits.ALL));
        assertArrayEquals(expected[14], rig.row(outcome, 0));
        assertArrayEquals(expected[10], rig.row(outcome, 1));
        assertArrayEquals(expected[11], rig.row(outcome, 2));
        assertEquals(
                0, rig.step(new Slice(first, ids, 12, 1, Logits.NONE)).logits().byteSize());
    }

    @Test
    void flagsAPoisonedSequenceThatWantsNoLogits() {
        rig.step(new Slice(second, ids, 0, 5, Logits.NONE));
        try (Arena arena = Arena.ofConfined()) {
            byte[] nan = new byte[(int) rig.cache.bytes()];
            Arrays.fill(nan, (byte) -1); // every float32 is a NaN
            rig.backend.write(arena.allocateFrom(ValueLayout.JAVA_BYTE, nan), rig.cache.buffer(), 0);
        }
        StepRunner.Outcome outcome =
                rig.step(new Slice(first, ids, 0, 5, Logits.NONE), new Slice(second, ids, 5, 5, Logits.NONE));
        assertArrayEquals(new boolean[] {false, true}, outcome.nonFinite());
    }

    @Test
    void refusesStepsThatItHasNoRoomFor() {
        refuses("rows", new Slice(first, ids, 0, 50, Logits.NONE), new Slice(second, ids, 0, 50, Logits.NONE));
        refuses("slices");
        refuses("pages for 32 positions", new Slice(rig.memory(32), ids, 0, 40, Logits.LAST));
        refuses("tokens", new Slice(rig.memory(320), ids, 190, 11, Logits.LAST));
        Slice one = new Slice(first, ids, 0, 1, Logits.LAST);
        refuses("slices", one, one, one, one, one, one, one, one, one);
    }

    @Test
    void countsItsMemoryBeforeTakingIt() {
        long counted = Trunk.memoryBytes(rig.spec(), TrunkRig.CAPACITY);
        assertEquals(counted, rig.trunk.residentBytes(), "float weights stay mapped, so there is nothing else");
        TrunkCapacity moreRows = new TrunkCapacity(97, 8, 512, 96);
        assertTrue(Trunk.memoryBytes(rig.spec(), moreRows) > counted);
    }

    @Test
    void refusesTokensOutsideTheVocabulary() {
        int[] wrong = ids.clone();
        wrong[3] = rig.trunk.vocabularySize();
        refuses("vocabulary", new Slice(first, wrong, 0, 4, Logits.LAST));
        wrong[3] = -1;
        refuses("vocabulary", new Slice(first, wrong, 0, 4, Logits.LAST));
        rig.step(new Slice(first, wrong, 0, 3, Logits.LAST));
    }

    private void refuses(String what, Slice... slices) {
        var error = assertThrows(IllegalArgumentException.class, () -> rig.step(slices));
        assertTrue(String.valueOf(error.getMessage()).contains(what), error.getMessage());
    }
}
