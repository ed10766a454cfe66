package org.bergfried.worker.kernel.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.bergfried.worker.machine.Processors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ThreadCountTest {
    /// Four processors of affinity.
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            0 | 4 | 4 compute threads: affinity allows 4
            0 | 2 | 2 compute threads: the CPU quota allows 2 of the 4 of affinity
            1 | 4 | 1 compute thread: the setting, and affinity allows 4
            4 | 4 | 4 compute threads: the setting, and affinity allows 4
            9 | 4 | 4 compute threads: the setting asks for 9, and affinity allows 4
            9 | 3 | 3 compute threads: the setting asks for 9, and the CPU quota allows 3 of the 4 of affinity
            0 | 8 | 4 compute threads: affinity allows 4
            """)
    void theSmallestOfAffinityQuotaAndSettingIsTakenAndNamed(int setting, int granted, String reason) {
        ThreadCount chosen = ThreadCount.choose(setting, new Processors(List.of(0, 2, 5, 7), granted));
        assertEquals(reason, chosen.reason());
        assertEquals(Integer.parseInt(reason.substring(0, 1)), chosen.threads());
    }

    @Test
    void whereAffinityIsUnknownTheJvmDecides() {
        assertEquals(6, ThreadCount.choose(0, new Processors(List.of(), 6)).threads());
        assertThrows(IllegalArgumentException.class, () -> ThreadCount.choose(-1, new Processors(List.of(), 6)));
    }
}
