package org.bergfried.worker.kernel.foreign;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Objects;
import org.bergfried.worker.weights.Digests;
import org.jspecify.annotations.Nullable;

/// The checked-in library and the digests beside it: of the library, and of the sources that it was built from.
///
/// The digest of sources is SHA-256 over the lines `<SHA-256 of the file>  <file name>` of all files of the source
/// directory, by name, as `worker/src/main/c/release` writes it.
final class NativeFile {
    /// The only platform that there is a library for.
    static final String PLATFORM = "linux-x86_64";

    private static final String LIBRARY = "libbergfried.so";
    private static final String DIGESTS = "digests.txt";

    private final byte[] bytes;
    private final String digest;
    private final String sources;

    private NativeFile(byte[] bytes, String digest, String sources) {
        this.bytes = bytes;
        this.digest = digest;
        this.sources = sources;
    }

    /// Reads the library of this version and compares it with its digest.
    static NativeFile shipped() throws IOException {
        List<String> digests = new String(resource(DIGESTS), UTF_8).lines().toList();
        var file = new NativeFile(resource(LIBRARY), word(digests, LIBRARY), word(digests, "sources"));
        String actual = Digests.sha256(file.bytes);
        if (!actual.equals(file.digest)) {
            throw new IOException(LIBRARY + " is damaged: its SHA-256 is " + actual + ", not " + file.digest);
        }
        return file;
    }

    /// SHA-256 of the library.
    String digest() {
        return digest;
    }

    /// SHA-256 over the sources that the library was built from.
    String sources() {
        return sources;
    }

    /// Writes the library into a directory that only this user may enter, reads it back, loads it, and deletes it:
    /// the
    /// loaded library needs its file no more.
    SymbolLookup load() throws IOException {
        Path directory = Files.createTempDirectory(
                "bergfried-", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Path library = directory.resolve(LIBRARY);
        try {
            Files.write(library, bytes);
            if (!Digests.sha256(Files.readAllBytes(library)).equals(digest)) {
                throw new IOException(library + " was changed while it was written");
            }
            return load(library);
        } finally {
            Files.deleteIfExists(library);
            Files.deleteIfExists(directory);
        }
    }

    /// Loads a library file for as long as the process lives.
    @SuppressWarnings("restricted") // it was compared with its digest, or chosen by who started the process
    static SymbolLookup load(Path library) throws IOException {
        try {
            return SymbolLookup.libraryLookup(library, Arena.global());
        } catch (IllegalArgumentException e) { // what the loader of the system refuses
            throw new IOException(library + " cannot be loaded (is its directory mounted noexec?)", e);
        }
    }

    private static byte[] resource(String name) throws IOException {
        String path = "/native/" + PLATFORM + "/" + name;
        try (@Nullable InputStream in = NativeFile.class.getResourceAsStream(path)) {
            if (in == null) {
                throw new IOException("the program has no " + path);
            }
            return in.readAllBytes();
        } catch (UncheckedIOException e) {
            throw Objects.requireNonNull(e.getCause());
        }
    }

    private static String word(List<String> digests, String name) throws IOException {
        for (String line : digests) {
            if (line.endsWith("  " + name)) {
                return line.substring(0, Digests.HEX_CHARS);
            }
        }
        throw new IOException(DIGESTS + " says nothing about " + name);
    }
}
