package org.bergfried.worker.weights;

import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// SHA-256, written as 64 lowercase hexadecimal digits.
public final class Digests {
    /// Characters of a digest.
    public static final int HEX_CHARS = 64;

    /// Bytes hashed at a time; ByteBuffers end at 2 GiB.
    private static final long PIECE_BYTES = 64 << 20;

    private Digests() {}

    /// Of an array.
    public static String sha256(byte[] bytes) {
        return HexFormat.of().formatHex(newDigest().digest(bytes));
    }

    /// Of any memory.
    public static String sha256(MemorySegment bytes) {
        MessageDigest digest = newDigest();
        for (long at = 0; at < bytes.byteSize(); at += PIECE_BYTES) {
            digest.update(bytes.asSlice(at, Math.min(PIECE_BYTES, bytes.byteSize() - at))
                    .asByteBuffer());
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
