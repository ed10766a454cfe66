package org.bergfried.worker.weights.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.bergfried.worker.weights.Refusals;

/// Reads little-endian values one after the other and never beyond the file's end.
final class GgufCursor {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path path;
    private final MemorySegment bytes;
    private long position;

    GgufCursor(Path path, MemorySegment bytes) {
        this.path = path;
        this.bytes = bytes;
    }

    long position() {
        return position;
    }

    long remaining() {
        return bytes.byteSize() - position;
    }

    int int32(String what) {
        return take(Integer.BYTES, what).get(INT, 0);
    }

    /// An unsigned 64-bit number of at most `max`.
    long count(String what, long max) {
        long value = take(Long.BYTES, what).get(LONG, 0);
        if (value < 0 || value > max) {
            throw Refusals.corrupt(
                    path, what + " is " + Long.toUnsignedString(value) + "; at most " + max + " are possible");
        }
        return value;
    }

    /// The bytes of a string: a length and that many bytes.
    MemorySegment string(String what) {
        return take(count("the length of " + what, remaining()), what);
    }

    /// A short string.
    String text(String what, int bytesMax) {
        long length = count("the length of " + what, bytesMax);
        return new String(take(length, what).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    }

    /// The bytes from an earlier position to this one.
    MemorySegment since(long begin) {
        return bytes.asSlice(begin, position - begin);
    }

    /// The next `count` bytes.
    MemorySegment take(long count, String what) {
        if (count > remaining()) {
            throw Refusals.corrupt(
                    path,
                    "ends within " + what + ": it has " + bytes.byteSize() + " bytes and needs at least "
                            + (position + count) + "; fetch the file again");
        }
        MemorySegment taken = bytes.asSlice(position, count);
        position += count;
        return taken;
    }
}
