package org.bergfried.worker.kernel.foreign;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.List;
import org.bergfried.worker.weights.Digests;

/// One line of `digests.txt`.
///
/// @param sha256 the digest.
/// @param name   of what: [#LIBRARY], [#SOURCES], or a source file.
record NativeDigest(String sha256, String name) {
    /// The library.
    static final String LIBRARY = "libbergfried.so";
    /// The lines of all sources.
    static final String SOURCES = "sources";
    /// The file that has these lines.
    static final String FILE = "digests.txt";

    private static final String SEPARATOR = "  ";

    /// The digests of this version.
    static List<NativeDigest> shipped() throws IOException {
        return parse(NativeFile.resource(NativeFile.SHIPPED + FILE));
    }

    /// The lines of a file.
    static List<NativeDigest> parse(byte[] file) throws IOException {
        List<String> lines = new String(file, UTF_8).lines().toList();
        for (String line : lines) {
            if (line.indexOf(SEPARATOR) != Digests.HEX_CHARS) {
                throw new IOException(FILE + " is damaged");
            }
        }
        return lines.stream()
                .map(line -> new NativeDigest(
                        line.substring(0, Digests.HEX_CHARS), line.substring(Digests.HEX_CHARS + SEPARATOR.length())))
                .toList();
    }

    /// The digest of one of them.
    static String of(List<NativeDigest> digests, String name) throws IOException {
        for (NativeDigest digest : digests) {
            if (digest.name.equals(name)) {
                return digest.sha256;
            }
        }
        throw new IOException(FILE + " says nothing about " + name);
    }

    /// Whether it is that of a source file.
    boolean ofSource() {
        return !name.equals(LIBRARY) && !name.equals(SOURCES);
    }

    @Override
    public String toString() {
        return sha256 + SEPARATOR + name;
    }
}
