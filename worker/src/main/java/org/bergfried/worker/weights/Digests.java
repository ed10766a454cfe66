package org.bergfried.worker.weights;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.function.LongConsumer;
import org.bergfried.worker.machine.MappedPages;

/// SHA-256, written as 64 lowercase hexadecimal digits.
public final class Digests {
    /// Characters of a digest.
    public static final int HEX_CHARS = 64;

    /// Bytes hashed at a time; ByteBuffers end at 2 GiB.
    private static final long PIECE_BYTES = 64 << 20;

    private static final int READ_BYTES = 1 << 20;

    private Digests() {}

    /// Of an array.
    public static String sha256(byte[] bytes) {
        return HexFormat.of().formatHex(newDigest().digest(bytes));
    }

    /// Of any memory. Pages of a mapped file are let go of as they are hashed: what is used of them comes back, and
    /// what is re-laid or hosted by others does not count as this process's memory.
    public static String sha256(MemorySegment bytes) {
        MessageDigest digest = newDigest();
        for (long at = 0; at < bytes.byteSize(); at += PIECE_BYTES) {
            MemorySegment piece = bytes.asSlice(at, Math.min(PIECE_BYTES, bytes.byteSize() - at));
            digest.update(piece.asByteBuffer());
            MappedPages.drop(piece);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /// Of a file's bytes.
    ///
    /// @param read is told the number of bytes after each piece.
    public static String sha256(Path file, LongConsumer read) throws IOException {
        MessageDigest digest = newDigest();
        var piece = new byte[READ_BYTES];
        try (InputStream in = Files.newInputStream(file)) {
            for (int count = in.read(piece); count >= 0; count = in.read(piece)) {
                digest.update(piece, 0, count);
                read.accept(count);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest newDigest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
