package org.bergfried.worker.kernel.foreign;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.bergfried.worker.weights.Digests;

/// The kernels' sources, which are packed beside the checked-in library.
///
/// Their digest is SHA-256 over the lines `<SHA-256 of the file>  <file name>` of all files of the source directory,
/// by name, as `worker/src/main/c/release` writes them.
final class NativeSources {
    /// The script among them that builds the library.
    static final String SCRIPT = "build";

    private final List<NativeDigest> files;
    private final String digest;

    private NativeSources(List<NativeDigest> files, String digest) {
        this.files = files;
        this.digest = digest;
    }

    /// The sources of this version; they are read only when they are written out.
    static NativeSources shipped() throws IOException {
        List<NativeDigest> all = NativeDigest.shipped();
        return new NativeSources(
                all.stream().filter(NativeDigest::ofSource).toList(), NativeDigest.of(all, NativeDigest.SOURCES));
    }

    /// SHA-256 over all of them.
    String digest() {
        return digest;
    }

    /// Writes the sources into a directory and compares each with its digest.
    void writeTo(Path directory) throws IOException {
        for (NativeDigest file : files) {
            byte[] bytes = NativeFile.resource("/native/c/" + file.name());
            if (!Digests.sha256(bytes).equals(file.sha256())) {
                throw new IOException("the source " + file.name() + " is damaged");
            }
            Files.write(directory.resolve(file.name()), bytes);
        }
    }
}
