package org.bergfried.worker.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class MappedPagesTest {
    private static final int BYTES = 4 << 20;

    @TempDir
    private Path folder = Path.of("");

    @Test
    void wholePagesAreLetGoOfAndComeBackWithTheirBytes() throws IOException {
        assumeTrue(ResidentPages.known(), "this system has no /proc/self/smaps");
        byte[] content = new byte[BYTES];
        for (int i = 0; i < BYTES; i++) {
            content[i] = (byte) ((i * 31) >> 3);
        }
        Path file = Files.write(folder.resolve("weights"), content);
        try (Arena arena = Arena.ofConfined();
                FileChannel channel = FileChannel.open(file)) {
            MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, BYTES, arena);
            long sum = sum(mapped);
            assertEquals(BYTES, ResidentPages.of(file));
            long dropped = MappedPages.drop(mapped.asSlice(100, BYTES / 2));
            assertTrue(dropped < BYTES / 2 && dropped > BYTES / 2 - (128 << 10), "bytes dropped: " + dropped);
            assertEquals(BYTES - dropped, ResidentPages.of(file));
            assertEquals(sum, sum(mapped));
            assertEquals(BYTES, ResidentPages.of(file));
        }
    }

    @Test
    void otherMemoryKeepsItsBytes() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment own = arena.allocate(BYTES).fill((byte) 7);
            assertEquals(0, MappedPages.drop(own));
            assertEquals(7L * BYTES, sum(own));
            assertEquals(0, MappedPages.drop(MemorySegment.ofArray(new byte[BYTES])));
        }
    }

    private static long sum(MemorySegment bytes) {
        long sum = 0;
        for (long i = 0; i < bytes.byteSize(); i++) {
            sum += bytes.get(ValueLayout.JAVA_BYTE, i);
        }
        return sum;
    }
}
