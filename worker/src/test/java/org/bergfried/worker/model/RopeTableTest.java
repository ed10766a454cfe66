package org.bergfried.worker.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.bergfried.worker.model.RopeSpec.Scaling;
import org.junit.jupiter.api.Test;

class RopeTableTest {
    @Test
    void holdsCosineAndSineOfEachPairRoundedOnce() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment table = RopeTable.allocate(new RopeSpec(4, 10000, true, new Scaling.None()), 3, arena);
            assertEquals(3 * 2 * 2 * 4, table.byteSize());
            assertArrayEquals(
                    new float[] {
                        1,
                        0,
                        1,
                        0,
                        (float) StrictMath.cos(1),
                        (float) StrictMath.sin(1),
                        (float) StrictMath.cos(0.01),
                        (float) StrictMath.sin(0.01),
                        (float) StrictMath.cos(2),
                        (float) StrictMath.sin(2),
                        (float) StrictMath.cos(0.02),
                        (float) StrictMath.sin(0.02)
                    },
                    table.toArray(ValueLayout.JAVA_FLOAT));
        }
    }

    @Test
    void yarnKeepsFastFrequenciesAndDividesSlowOnes() {
        var yarn = new Scaling.Yarn(40, 32, 1, 4096, 1.5, true);
        double[] plain = RopeTable.frequencies(new RopeSpec(64, 10000, true, new Scaling.None()));
        double[] stretched = RopeTable.frequencies(new RopeSpec(64, 10000, true, yarn));
        // DeepSeek-V3: the ramp goes from pair 10 to pair 23.
        for (int i = 0; i <= 10; i++) {
            assertEquals(plain[i], stretched[i]);
        }
        for (int i = 23; i < 32; i++) {
            assertEquals(plain[i] / 40, stretched[i]);
        }
        double half = (16 - 10) / 13.0;
        assertEquals(plain[16] / 40 * half + plain[16] * (1 - half), stretched[16]);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment table = RopeTable.allocate(new RopeSpec(64, 10000, true, yarn), 1, arena);
            assertEquals(1.5f, table.get(ValueLayout.JAVA_FLOAT, 0), "the attention factor multiplies");
        }
    }

    @Test
    void llama3DividesLongWavesOnly() {
        var llama3 = new Scaling.Llama3(8, 1, 4, 8192);
        double[] plain = RopeTable.frequencies(new RopeSpec(128, 500000, false, new Scaling.None()));
        double[] stretched = RopeTable.frequencies(new RopeSpec(128, 500000, false, llama3));
        assertEquals(plain[0], stretched[0]);
        assertEquals(plain[63] / 8, stretched[63]);
        // 2 pi / 500000^(-64/128) = 4443 lies between 8192 / 4 and 8192.
        double smooth = (8192 / (2 * Math.PI / plain[32]) - 1) / 3;
        assertEquals((1 - smooth) * plain[32] / 8 + smooth * plain[32], stretched[32]);
    }

    @Test
    void divisorsOfAFileDivideEachFrequency() {
        var divided = new Scaling.Divided(List.of(1f, 4f));
        double[] plain = RopeTable.frequencies(new RopeSpec(4, 10000, true, new Scaling.None()));
        assertArrayEquals(
                new double[] {plain[0], plain[1] / 4}, RopeTable.frequencies(new RopeSpec(4, 10000, true, divided)));
    }
}
