package org.bergfried.worker.kernel.foreign;

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

/// A library whose digest is known: the checked-in one, or one that was built here.
final class NativeFile {
    /// The only platform that there is a library for.
    static final String PLATFORM = "linux-x86_64";
    /// Where the checked-in library and the digests are.
    static final String SHIPPED = "/native/" + PLATFORM + "/";

    private final byte[] bytes;
    private final String digest;

    private NativeFile(byte[] bytes, List<NativeDigest> digests) throws IOException {
        this.bytes = bytes;
        digest = NativeDigest.of(digests, NativeDigest.LIBRARY);
        String actual = Digests.sha256(bytes);
        if (!actual.equals(digest)) {
            throw new IOException(NativeDigest.LIBRARY + " is damaged: its SHA-256 is " + actual + ", not " + digest);
        }
    }

    /// Reads the library of this version and compares it with its digest.
    static NativeFile shipped() throws IOException {
        return new NativeFile(resource(SHIPPED + NativeDigest.LIBRARY), NativeDigest.shipped());
    }

    /// Reads a library from a directory and compares it with the digest beside it.
    static NativeFile in(Path directory) throws IOException {
        return new NativeFile(
                Files.readAllBytes(directory.resolve(NativeDigest.LIBRARY)),
                NativeDigest.parse(Files.readAllBytes(directory.resolve(NativeDigest.FILE))));
    }

    /// SHA-256 of the library.
    String digest() {
        return digest;
    }

    /// Writes the library into a directory that only this user may enter, reads it back, loads it, and deletes it:
    /// the loaded library needs its file no more.
    SymbolLookup load() throws IOException {
        Path directory = Files.createTempDirectory(
                "bergfried-", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Path library = directory.resolve(NativeDigest.LIBRARY);
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

    /// The bytes of a file that is packed with the program.
    static byte[] resource(String path) throws IOException {
        try (@Nullable InputStream in = NativeFile.class.getResourceAsStream(path)) {
            if (in == null) {
                throw new IOException("the program has no " + path);
            }
            return in.readAllBytes();
        } catch (UncheckedIOException e) {
            throw Objects.requireNonNull(e.getCause());
        }
    }
}
