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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.bergfried.worker.kernel.ConformanceMain;
import org.bergfried.worker.weights.Digests;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The checked-in library belongs to the sources beside it, and what a compiler at hand makes of them computes the
/// same.
final class NativeLibraryTest {
    private static final Path SOURCES = Path.of("src", "main", "c");

    @Test
    void theCheckedInLibraryWasBuiltFromTheseSources() throws IOException {
        assertEquals(
                digestOfSources(),
                NativeFile.shipped().sources(),
                "the sources have changed: run worker/src/main/c/release and commit the library");
    }

    @Test
    void saysWhatItIs() {
        assumeTrue(!NativeLibrary.variants().isEmpty(), NativeLibrary.describe());
        assertTrue(NativeLibrary.describe().contains("library shipped, SHA-256 "), NativeLibrary.describe());
        assertEquals(Variant.AVX2, NativeLibrary.variants().getLast());
    }

    @Test
    void aLibraryThatACompilerBuildsHereComputesTheSame(@TempDir Path directory) throws Exception {
        assumeTrue(!NativeLibrary.variants().isEmpty(), NativeLibrary.describe());
        assumeTrue(hasCompiler(), "no cc on the path: the library is not built again");
        Path library = directory.resolve("libbergfried.so");
        run(List.of(SOURCES.resolve("build").toString(), library.toString()));
        List<String> lines = run(List.of(
                Path.of(Objects.requireNonNull(System.getProperty("java.home")), "bin", "java")
                        .toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-D" + NativeLibrary.CHOSEN_FILE + "=" + library,
                "-cp",
                Objects.requireNonNull(System.getProperty("java.class.path")),
                ConformanceMain.class.getName()));
        var expected = new ArrayList<String>();
        NativeLibrary.variants().forEach(variant -> expected.add(variant + " []"));
        assertEquals(expected, lines.subList(1, lines.size()), lines::toString);
        assertTrue(lines.getFirst().contains(library.toString()), lines::toString);
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

    private static boolean hasCompiler() {
        String path = Objects.requireNonNullElse(System.getenv("PATH"), "");
        return Arrays.stream(path.split(":", -1)).anyMatch(each -> Files.isExecutable(Path.of(each, "cc")));
    }

    private static List<String> run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertEquals(0, process.waitFor(), () -> command + ": " + output);
        return output.lines().toList();
    }
}
