package org.bergfried.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ByteSizeTest {
    @ParameterizedTest
    @CsvSource({
        "0, 0, 0B",
        "1000, 1000, 1000B",
        "1024B, 1024, 1KiB",
        "512MiB, 536870912, 512MiB",
        "4 GiB, 4294967296, 4GiB",
        "1536MiB, 1610612736, 1536MiB",
        "2048TiB, 2251799813685248, 2048TiB"
    })
    void readsAndPrintsTheLargestUnitThatDivides(String text, long bytes, String printed) {
        assertEquals(new ByteSize(bytes), ByteSize.parse(text));
        assertEquals(printed, ByteSize.parse(text).toString());
        assertEquals(new ByteSize(bytes), ByteSize.parse(printed));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "12MB", "-1", "1.5GiB", "12 M", "MiB", "0x10", "9999999999999TiB"})
    void refusesWhatIsNoSize(String text) {
        var refusal = assertThrows(IllegalArgumentException.class, () -> ByteSize.parse(text));
        assertTrue(String.valueOf(refusal.getMessage()).contains("\"" + text + "\""), refusal.getMessage());
    }

    @Test
    void refusesNegativeSizesAndIntsOfTwoGibibytes() {
        assertThrows(IllegalArgumentException.class, () -> new ByteSize(-1));
        assertThrows(
                IllegalArgumentException.class, () -> ByteSize.ofMebibytes(2048).toIntBytes());
        assertEquals(1 << 20, ByteSize.ofMebibytes(1).toIntBytes());
    }
}
