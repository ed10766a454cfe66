package org.bergfried.worker.kernel.foreign;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.bergfried.worker.weights.Digests;
import org.jspecify.annotations.Nullable;

/// The library as a compiler of this machine makes it, kept in a directory of the user under the digest of its
/// sources: `DIGEST/libbergfried.so` with its own digest beside it, or `DIGEST.failed` with the reason, so that the
/// next start does not try again.
///
/// A library appears whole or not at all, and one process at a time builds.
final class NativeBuild {
    /// How long a build may take.
    static final Duration LIMIT = Duration.ofSeconds(20);

    private static final int KEY_CHARS = 16;

    private final Path directory;
    private final NativeSources sources;
    private final String compiler;
    private final Duration limit;

    /// @param compiler a name on the path, or a file.
    NativeBuild(Path directory, NativeSources sources, String compiler, Duration limit) {
        this.directory = directory;
        this.sources = sources;
        this.compiler = compiler;
        this.limit = limit;
    }

    /// Where the library is kept.
    Path home() {
        return directory.resolve(sources.digest().substring(0, KEY_CHARS));
    }

    /// The library that was built before, or null.
    @Nullable
    NativeFile found() throws IOException {
        if (!Files.exists(home().resolve(NativeDigest.LIBRARY))) {
            return null;
        }
        requireOwn(directory);
        return NativeFile.in(home());
    }

    /// The library, built if it is not there yet.
    ///
    /// @throws IOException with the reason if it cannot be had.
    NativeFile library() throws IOException {
        NativeFile known = found();
        if (known != null) {
            return known;
        }
        Path failed = directory.resolve(home().getFileName() + ".failed");
        if (Files.exists(failed)) {
            throw new IOException(Files.readString(failed).strip() + " (delete " + failed + " to try again)");
        }
        requireCompiler();
        Files.createDirectories(
                directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        requireOwn(directory);
        try (FileChannel file = FileChannel.open(
                        directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                @Nullable FileLock lock = file.tryLock()) {
            if (lock == null) {
                throw new IOException("another process builds it");
            }
            NativeFile builtMeanwhile = found();
            return builtMeanwhile != null ? builtMeanwhile : build(failed);
        }
    }

    private NativeFile build(Path failed) throws IOException {
        Path part = directory.resolve("part");
        deleteTree(part);
        Path work = Files.createDirectories(part.resolve("sources"));
        try {
            sources.writeTo(work);
            Path library = part.resolve(NativeDigest.LIBRARY);
            String obstacle = compile(work, library);
            if (!obstacle.isEmpty()) {
                Files.writeString(failed, obstacle);
                throw new IOException(obstacle);
            }
            var digest = new NativeDigest(Digests.sha256(Files.readAllBytes(library)), NativeDigest.LIBRARY);
            Files.writeString(part.resolve(NativeDigest.FILE), digest + "\n");
            deleteTree(work);
            Files.move(part, home(), StandardCopyOption.ATOMIC_MOVE);
            return NativeFile.in(home());
        } finally {
            deleteTree(part);
        }
    }

    /// Runs the script of the sources; returns why there is no library, or nothing.
    private String compile(Path work, Path library) throws IOException {
        Path log = work.resolve("log");
        var script = new ProcessBuilder(
                        "/bin/sh", work.resolve(NativeSources.SCRIPT).toString(), library.toString(), compiler)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        script.environment().put("TMPDIR", work.toString()); // so that nothing is left of a build that is ended
        Process process = script.start();
        if (!ends(process)) {
            return "cc took more than " + limit.toSeconds() + " s";
        }
        return process.exitValue() == 0 ? "" : "cc failed: " + firstError(log);
    }

    private boolean ends(Process process) throws IOException {
        boolean ended = false;
        try {
            ended = process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("the start was interrupted", e);
        } finally {
            if (!ended) {
                List<ProcessHandle> children = process.descendants().toList();
                process.destroyForcibly();
                children.forEach(ProcessHandle::destroyForcibly);
            }
        }
        return ended;
    }

    private static String firstError(Path log) throws IOException {
        List<String> lines = new String(Files.readAllBytes(log), UTF_8).lines().toList();
        return lines.stream()
                .filter(line -> line.contains("error"))
                .findFirst()
                .orElse(lines.isEmpty() ? "it said nothing" : lines.getFirst());
    }

    private void requireCompiler() throws IOException {
        try {
            Process asked = new ProcessBuilder(compiler, "--version")
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            ends(asked);
        } catch (IOException absent) {
            throw new IOException("there is no " + compiler, absent);
        }
    }

    /// Code is loaded from there: nobody else may put any.
    private static void requireOwn(Path directory) throws IOException {
        Set<PosixFilePermission> granted = Files.getPosixFilePermissions(directory);
        if (granted.contains(PosixFilePermission.GROUP_WRITE) || granted.contains(PosixFilePermission.OTHERS_WRITE)) {
            throw new IOException("others may write to " + directory);
        }
    }

    private static void deleteTree(Path root) throws IOException {
        if (!Files.exists(root)) {
            return;
        }
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
