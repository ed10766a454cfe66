package org.bergfried.contract.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.Limits;

/// What all frames share: little-endian numbers, aligned sections, and how a bad frame is refused.
final class FrameLayout {
    static final ValueLayout.OfByte U8 = ValueLayout.JAVA_BYTE;
    static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// Sections of a frame begin at multiples of it.
    static final int ALIGNMENT = 16;

    private static final int HEADER_BYTES_MAX = 1024;

    private FrameLayout() {}

    static long align(long bytes) {
        return (bytes + ALIGNMENT - 1) & -ALIGNMENT;
    }

    static int u8(MemorySegment frame, long offset) {
        return Byte.toUnsignedInt(frame.get(U8, offset));
    }

    static int u16(MemorySegment frame, long offset) {
        return Short.toUnsignedInt(frame.get(U16, offset));
    }

    /// A count or size, which must be from 0 to `max`.
    static int count(MemorySegment frame, long offset, String what, int max) {
        int value = frame.get(I32, offset);
        if (value < 0 || value > max) {
            throw bad(what + " = " + Integer.toUnsignedString(value) + " is above the limit of " + max);
        }
        return value;
    }

    /// Where the sections begin: at least what this version writes; a later minor version may have put more in the
    /// header.
    static int headerBytes(MemorySegment frame, long offset, int min) {
        int bytes = u16(frame, offset);
        if (bytes < min || bytes > HEADER_BYTES_MAX || bytes % ALIGNMENT != 0) {
            throw bad("a header of " + bytes + " bytes; it must be a multiple of " + ALIGNMENT + " from " + min + " to "
                    + HEADER_BYTES_MAX);
        }
        return bytes;
    }

    /// Checks the kind and that the fixed part is there.
    static void require(MemorySegment frame, FrameKind kind, int bytesMin) {
        if (frame.byteSize() > Limits.FRAME_BYTES) {
            throw new ClusterException(
                    ErrorReason.TOO_LARGE,
                    "a frame of " + frame.byteSize() + " bytes is above the limit of " + Limits.FRAME_BYTES
                            + "; the sender must split it");
        }
        if (FrameKind.of(frame) != kind) {
            throw bad("a " + FrameKind.of(frame) + " frame where " + kind + " was expected");
        }
        if (frame.byteSize() < bytesMin) {
            throw bad("a " + kind + " frame of " + frame.byteSize() + " bytes; its fixed part has " + bytesMin);
        }
    }

    static ClusterException bad(String what) {
        return new ClusterException(ErrorReason.INVALID_REQUEST, "bad frame from a worker: " + what);
    }
}
