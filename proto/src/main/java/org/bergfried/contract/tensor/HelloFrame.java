package org.bergfried.contract.tensor;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.Limits;

/// HELLO: the first frame of a stream in each direction. It fixes who speaks, which model in which arithmetic, and
/// the limits, so that later frames carry only eight bytes of each ([#modelTag], [#numericsTag]).
///
/// | byte | field |
/// | --- | --- |
/// | 0 | kind, 1; byte 1 is zero |
/// | 2 | u16 major, u16 minor |
/// | 6 | u16 length of workerId |
/// | 8 | i64 startNumber |
/// | 16 | 32 bytes modelDigest |
/// | 48 | u16 length of numericsId |
/// | 50 | u16 class |
/// | 52 | u32 columns of a row (the model's hidden size) |
/// | 56 | u32 largest frame in bytes |
/// | 60 | u16 offset of the texts (64), u16 zero |
/// | 64 | workerId, numericsId, ASCII |
///
/// @param major         another one is refused.
/// @param minor         may only add optional fields.
/// @param workerId      who speaks.
/// @param startNumber   which start of that worker.
/// @param modelDigest   64 lowercase hexadecimal digits.
/// @param numericsId    the arithmetic.
/// @param dispatchClass what the stream is for.
/// @param columns       columns of a row.
/// @param frameBytesMax the largest frame that the speaker takes.
public record HelloFrame(
        int major,
        int minor,
        String workerId,
        long startNumber,
        String modelDigest,
        String numericsId,
        DispatchClass dispatchClass,
        int columns,
        int frameBytesMax) {
    /// This protocol's major version.
    public static final int MAJOR = 1;

    /// This protocol's minor version.
    public static final int MINOR = 0;

    private static final int FIXED_BYTES = 64;
    private static final int DIGEST_BYTES = 32;
    private static final int COLUMNS_MAX = 1 << 16;

    /// Checks the bounds.
    public HelloFrame {
        checkId("workerId", workerId);
        checkId("numericsId", numericsId);
        if (modelDigest.length() != 2 * DIGEST_BYTES || !modelDigest.matches("[0-9a-f]+")) {
            throw FrameLayout.bad("model digest of " + modelDigest.length() + " characters; it must be "
                    + 2 * DIGEST_BYTES + " lowercase hexadecimal digits");
        }
        if (columns < 1 || columns > COLUMNS_MAX) {
            throw FrameLayout.bad("rows of " + columns + " columns; there must be 1 to " + COLUMNS_MAX);
        }
    }

    /// A HELLO of this version with its limits.
    public static HelloFrame of(
            String workerId,
            long startNumber,
            String modelDigest,
            String numericsId,
            DispatchClass dispatchClass,
            int columns) {
        return new HelloFrame(
                MAJOR,
                MINOR,
                workerId,
                startNumber,
                modelDigest,
                numericsId,
                dispatchClass,
                columns,
                Limits.FRAME_BYTES);
    }

    /// The frame's bytes.
    public byte[] encode() {
        byte[] id = workerId.getBytes(US_ASCII);
        byte[] numerics = numericsId.getBytes(US_ASCII);
        byte[] bytes = new byte[(int) FrameLayout.align(FIXED_BYTES + id.length + numerics.length)];
        MemorySegment frame = MemorySegment.ofArray(bytes);
        frame.set(FrameLayout.U8, 0, FrameKind.HELLO.code());
        frame.set(FrameLayout.U16, 2, (short) major);
        frame.set(FrameLayout.U16, 4, (short) minor);
        frame.set(FrameLayout.U16, 6, (short) id.length);
        frame.set(FrameLayout.I64, 8, startNumber);
        MemorySegment.copy(MemorySegment.ofArray(HexFormat.of().parseHex(modelDigest)), 0, frame, 16, DIGEST_BYTES);
        frame.set(FrameLayout.U16, 48, (short) numerics.length);
        frame.set(FrameLayout.U16, 50, (short) dispatchClass.code());
        frame.set(FrameLayout.I32, 52, columns);
        frame.set(FrameLayout.I32, 56, frameBytesMax);
        frame.set(FrameLayout.U16, 60, (short) FIXED_BYTES);
        MemorySegment.copy(MemorySegment.ofArray(id), 0, frame, FIXED_BYTES, id.length);
        MemorySegment.copy(MemorySegment.ofArray(numerics), 0, frame, FIXED_BYTES + id.length, numerics.length);
        return bytes;
    }

    /// Reads a frame; bytes that a later minor version appended are ignored.
    ///
    /// @throws ClusterException if it is malformed or of another major version.
    public static HelloFrame parse(MemorySegment frame) {
        FrameLayout.require(frame, FrameKind.HELLO, 6);
        int major = FrameLayout.u16(frame, 2);
        if (major != MAJOR) {
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST,
                    "the peer speaks step protocol " + major + "." + FrameLayout.u16(frame, 4) + "; this worker speaks "
                            + MAJOR + "." + MINOR + "; upgrade the older worker");
        }
        FrameLayout.require(frame, FrameKind.HELLO, FIXED_BYTES);
        int textOffset = FrameLayout.headerBytes(frame, 60, FIXED_BYTES);
        int idLength = FrameLayout.u16(frame, 6);
        int numericsLength = FrameLayout.u16(frame, 48);
        if ((long) textOffset + idLength + numericsLength > frame.byteSize()) {
            throw FrameLayout.bad("HELLO of " + frame.byteSize() + " bytes ends before its texts of " + idLength
                    + " and " + numericsLength + " bytes");
        }
        return new HelloFrame(
                major,
                FrameLayout.u16(frame, 4),
                text(frame, textOffset, idLength),
                frame.get(FrameLayout.I64, 8),
                HexFormat.of().formatHex(frame.asSlice(16, DIGEST_BYTES).toArray(FrameLayout.U8)),
                text(frame, textOffset + idLength, numericsLength),
                DispatchClass.of(FrameLayout.u16(frame, 50)),
                FrameLayout.count(frame, 52, "columns", COLUMNS_MAX),
                FrameLayout.count(frame, 56, "largest frame in bytes", Integer.MAX_VALUE));
    }

    /// Refuses a peer that computes another model or in another arithmetic than this one.
    ///
    /// @throws ClusterException that names the difference.
    public void requireSameModel(HelloFrame peer) {
        if (!modelDigest.equals(peer.modelDigest) || columns != peer.columns) {
            throw differs(
                    "model",
                    modelDigest + " with " + columns + " columns",
                    peer.workerId,
                    peer.modelDigest + " with " + peer.columns + " columns");
        }
        if (!numericsId.equals(peer.numericsId)) {
            throw differs("arithmetic", numericsId, peer.workerId, peer.numericsId);
        }
        if (dispatchClass != peer.dispatchClass) {
            throw differs("class", dispatchClass.toString(), peer.workerId, peer.dispatchClass.toString());
        }
    }

    /// The first eight bytes of the model digest, as a DISPATCH carries them.
    public static long modelTag(String modelDigest) {
        return Long.reverseBytes(Long.parseUnsignedLong(modelDigest, 0, 16, 16));
    }

    /// The first eight bytes of the SHA-256 of a numericsId, as a DISPATCH carries them.
    public static long numericsTag(String numericsId) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(numericsId.getBytes(US_ASCII));
            return MemorySegment.ofArray(digest).get(FrameLayout.I64, 0);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    private static ClusterException differs(String what, String ours, String peer, String theirs) {
        return new ClusterException(
                ErrorReason.INVALID_REQUEST,
                "worker " + peer + " has the " + what + " " + theirs + ", this one " + ours
                        + "; give both the same model files and version");
    }

    private static String text(MemorySegment frame, long offset, int length) {
        return new String(frame.asSlice(offset, length).toArray(FrameLayout.U8), US_ASCII);
    }

    private static void checkId(String name, String value) {
        boolean printable = value.chars().allMatch(c -> c > ' ' && c < 0x7f);
        if (value.isEmpty() || value.length() > Limits.ID_CHARS || !printable) {
            throw FrameLayout.bad(name + " of " + value.length() + " characters; it must be 1 to " + Limits.ID_CHARS
                    + " of printable ASCII");
        }
    }
}
