package org.bergfried.worker.kernel.foreign;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.bergfried.worker.weights.Digests;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

/// The checked-in library belongs to the sources beside it.
final class NativeLibraryTest {
    private static final Path SOURCES = Path.of("src", "main", "c");

    @Test
    void theCheckedInLibraryWasBuiltFromTheseSources() throws IOException {
        assertEquals(
                digestOfSources(),
                NativeSources.shipped().digest(),
                "the sources have changed: run worker/src/main/c/release and commit the library");
    }

    @Test
    void saysWhatItIs() {
        assumeTrue(!NativeLibrary.variants().isEmpty(), NativeLibrary.describe());
        assertTrue(NativeLibrary.describe().contains("library shipped, SHA-256 "), NativeLibrary.describe());
        assertEquals(Variant.AVX2, NativeLibrary.variants().getLast());
    }

    @Test
    void refusesAddressesOutsideTheirMemory() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(64);
            assertEquals(memory.address() + 60, Addresses.of(memory, 60, 4));
            Assertions.assertThrows(IndexOutOfBoundsException.class, () -> Addresses.of(memory, 61, 4));
        }
        Assertions.assertThrows(
                IllegalStateException.class, () -> Addresses.of(MemorySegment.ofArray(new byte[8]), 0, 8));
    }

    private static String digestOfSources() throws IOException {
        var lines = new StringBuilder();
        try (Stream<Path> files = Files.list(SOURCES)) {
            for (Path file : files.filter(file -> !file.getFileName().toString().startsWith("."))
                    .sorted()
                    .toList()) {
                lines.append(Digests.sha256(Files.readAllBytes(file)))
                        .append("  ")
                        .append(file.getFileName())
                        .append('\n');
            }
        }
        return Digests.sha256(lines.toString().getBytes(UTF_8));
    }
}
