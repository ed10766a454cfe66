package org.bergfried.worker.kernel.foreign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.bergfried.worker.kernel.ChildJvm;
import org.bergfried.worker.kernel.ConformanceMain;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A library that a compiler at hand makes computes the same, is built once, and where it cannot be had, it is said
/// why.
final class NativeBuildTest {
    private static final Duration LONG = Duration.ofMinutes(10);

    @TempDir
    private Path folder = Path.of("");

    @Test
    void whatACompilerBuildsHereComputesTheSameAndIsBuiltOnce() throws Exception {
        assumeTrue(!NativeLibrary.variants().isEmpty(), NativeLibrary.describe());
        assumeTrue(hasCompiler(), "no cc on the path: the library is not built again");
        NativeBuild build = build("cc", LONG);
        assertNull(build.found());
        NativeFile built = build.library();
        assertEquals(built.digest(), build("no-such-compiler", LONG).library().digest());
        Path library = build.home().resolve(NativeDigest.LIBRARY);
        List<String> lines = conformance(library);
        var expected = new ArrayList<String>();
        NativeLibrary.variants().forEach(variant -> expected.add(variant + " []"));
        assertEquals(expected, lines.subList(1, lines.size()), lines::toString);
        assertTrue(lines.getFirst().contains(library.toString()), lines::toString);

        byte[] bytes = Files.readAllBytes(library);
        bytes[bytes.length / 2] ^= 1;
        Files.write(library, bytes);
        assertSays("damaged", build);
    }

    @Test
    void saysThatThereIsNoCompilerAndLeavesNothing() throws IOException {
        assertSays("there is no no-such-compiler", build("no-such-compiler", LONG));
        assertFalse(Files.exists(directory()));
    }

    @Test
    void saysWhatTheCompilerSaidAndDoesNotAskAgain() throws IOException {
        Path compiler = compiler("echo \"x.c:1: error: no such vector\"; exit 1");
        assertSays("cc failed: x.c:1: error: no such vector", build(compiler.toString(), LONG));
        Files.delete(compiler);
        assertSays("to try again", build(compiler.toString(), LONG));
        assertEquals(List.of("lock", build("", LONG).home().getFileName() + ".failed"), left());
    }

    @Test
    void givesUpACompilerThatTakesTooLong() throws IOException {
        Path compiler = compiler("exec sleep 600");
        assertSays("cc took more than 1 s", build(compiler.toString(), Duration.ofSeconds(1)));
        assertEquals(List.of("lock", build("", LONG).home().getFileName() + ".failed"), left());
    }

    @Test
    void takesNoCodeFromWhereOthersMayWrite() throws IOException {
        Files.createDirectory(directory());
        Files.setPosixFilePermissions(directory(), PosixFilePermissions.fromString("rwxrwx---"));
        assertSays(
                "others may write to " + directory(), build(compiler("exit 1").toString(), LONG));
    }

    @Test
    void saysThatADirectoryCannotBeMade() throws IOException {
        Files.writeString(directory(), "a file");
        assertThrows(
                IOException.class,
                () -> build(compiler("exit 1").toString(), LONG).library());
    }

    private NativeBuild build(String compiler, Duration limit) throws IOException {
        return new NativeBuild(directory(), NativeSources.shipped(), compiler, limit);
    }

    private Path directory() {
        return folder.resolve("kernels");
    }

    private List<String> left() throws IOException {
        try (var files = Files.list(directory())) {
            return files.map(file -> String.valueOf(file.getFileName()))
                    .sorted((a, b) -> Boolean.compare(b.equals("lock"), a.equals("lock")))
                    .toList();
        }
    }

    /// A compiler that knows its version.
    private Path compiler(String otherwise) throws IOException {
        Path file = folder.resolve("compiler");
        Files.writeString(file, "#!/bin/sh\nif [ \"$1\" = --version ]; then exit 0; fi\n" + otherwise + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
        return file;
    }

    private static void assertSays(String reason, NativeBuild build) {
        var refusal = assertThrows(IOException.class, build::library);
        assertTrue(String.valueOf(refusal.getMessage()).contains(reason), refusal.getMessage());
    }

    private static List<String> conformance(Path library) throws Exception {
        return ChildJvm.lines(ConformanceMain.class, "-D" + NativeLibrary.CHOSEN_FILE + "=" + library);
    }

    private static boolean hasCompiler() {
        String path = Objects.requireNonNullElse(System.getenv("PATH"), "");
        return Arrays.stream(path.split(":", -1)).anyMatch(each -> Files.isExecutable(Path.of(each, "cc")));
    }
}
