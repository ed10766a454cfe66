package org.bergfried.router.chat;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;

/// One instance of Hugging Face's tokenizer, through the native methods of DJL and nothing else of it: DJL's own
/// classes
/// call home, probe for CUDA, truncate to 512 tokens and unpack into the home directory.
///
/// It may be used by several threads at once. Its native memory is freed when the object is no longer reachable, so
/// that
/// a model that is replaced never pulls it away under a request.
final class NativeTokenizer {
    private static final TokenizersLibrary LIBRARY = load();
    private static final Cleaner CLEANER = Cleaner.create();

    private final long handle;

    /// Reads a tokenizer.json whose truncation and padding are null.
    ///
    /// @throws ClusterException MODEL_UNSUPPORTED if the library does not accept it
    NativeTokenizer(byte[] tokenizerJson) {
        handle = create(new String(tokenizerJson, StandardCharsets.UTF_8));
        long freed = handle;
        CLEANER.register(this, () -> LIBRARY.deleteTokenizer(freed));
    }

    private static long create(String json) {
        try {
            return LIBRARY.createTokenizerFromString(json);
        } catch (RuntimeException rejected) {
            throw new ClusterException(
                    ErrorReason.MODEL_UNSUPPORTED,
                    "tokenizer.json is not accepted: " + rejected.getMessage(),
                    rejected);
        }
    }

    /// The ids of a text, without a post-processor's additions.
    int[] encode(String text) {
        long encoding = LIBRARY.encode(handle, text, false);
        try {
            long[] ids = LIBRARY.getTokenIds(encoding);
            int[] narrow = new int[ids.length];
            for (int i = 0; i < ids.length; i++) {
                narrow[i] = Math.toIntExact(ids[i]);
            }
            return narrow;
        } finally {
            LIBRARY.deleteEncoding(encoding);
            Reference.reachabilityFence(this);
        }
    }

    /// Loads the native library: from the file that RUST_LIBRARY_PATH names, else from the jar by way of a private file
    /// that is gone as soon as the library is loaded.
    @SuppressWarnings("restricted") // Loading it is what this class is for.
    private static TokenizersLibrary load() {
        // Nothing of DJL that could open a connection is called; should that ever change, this stops it.
        System.setProperty("ai.djl.offline", "true");
        String given = System.getProperty("RUST_LIBRARY_PATH");
        if (given != null) {
            System.load(Path.of(given).toAbsolutePath().toString());
            return TokenizersLibrary.LIB;
        }
        try {
            Path directory = Files.createTempDirectory("bergfried-tokenizers");
            Path file = directory.resolve("libtokenizers");
            try (InputStream in = resource()) {
                Files.copy(in, file);
                System.load(file.toString());
            } finally {
                Files.deleteIfExists(file);
                Files.deleteIfExists(directory);
            }
        } catch (IOException error) {
            throw new ClusterException(
                    ErrorReason.INTERNAL,
                    "the tokenizers library cannot be unpacked into " + System.getProperty("java.io.tmpdir")
                            + "; make it writable or set -DRUST_LIBRARY_PATH to an unpacked library",
                    error);
        }
        return TokenizersLibrary.LIB;
    }

    private static InputStream resource() {
        String arch = System.getProperty("os.arch", "");
        String platform =
                System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("mac")
                        ? "osx-" + arch
                        : "linux-" + (arch.equals("amd64") ? "x86_64" : arch);
        String suffix = platform.startsWith("osx") ? ".dylib" : ".so";
        String name = "/native/lib/" + platform + "/cpu/libtokenizers" + suffix;
        InputStream in = TokenizersLibrary.class.getResourceAsStream(name);
        if (in == null) {
            throw new ClusterException(
                    ErrorReason.INTERNAL, "there is no tokenizers library for the platform " + platform);
        }
        return in;
    }
}
