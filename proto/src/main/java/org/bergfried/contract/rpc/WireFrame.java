package org.bergfried.contract.rpc;

import io.grpc.Drainable;
import io.grpc.HasByteBuffer;
import io.grpc.KnownLength;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.Limits;
import org.jspecify.annotations.Nullable;

/// A message of ExpertService on its way through gRPC: one frame, wrapped as the protobuf field `bytes frame = 1`,
/// which
/// is copied once on each side. An outgoing one is copied to the transport's buffer while it is sent; an incoming one
/// is
/// copied by its receiver, during the callback that brings it, to memory of the receiver's choice.
public final class WireFrame {
    private static final int TAG = 0x0a; // field 1, length-delimited
    private static final int PREFIX_BYTES_MAX = 6; // the tag and a length of five bytes

    private int length; // of an incoming frame once it is open
    private final @Nullable Outgoing outgoing;
    private final @Nullable InputStream incoming;

    private WireFrame(int length, @Nullable Outgoing outgoing, @Nullable InputStream incoming) {
        this.length = length;
        this.outgoing = outgoing;
        this.incoming = incoming;
    }

    /// A frame to send.
    ///
    /// @param bytes  the frame is its beginning; must not change until [#consumed()].
    /// @param length of the frame.
    public static WireFrame outgoing(byte[] bytes, int length) {
        return new WireFrame(length, new Outgoing(bytes, length), null);
    }

    /// A message that has arrived; nothing of it is read yet.
    static WireFrame incoming(InputStream message) {
        return new WireFrame(0, null, message);
    }

    /// Reads how long an incoming frame is; once, before [#copyTo].
    ///
    /// @throws ClusterException if the message is not exactly one frame within [Limits#FRAME_BYTES].
    public int open() {
        if (incoming == null) {
            throw new IllegalStateException("an outgoing frame");
        }
        try {
            int available = incoming.available();
            if (available > Limits.FRAME_BYTES + PREFIX_BYTES_MAX) {
                throw new ClusterException(
                        ErrorReason.TOO_LARGE,
                        "a message of " + available + " bytes; frames have at most " + Limits.FRAME_BYTES);
            }
            length = available == 0 ? 0 : readPrefix(incoming);
            if (length != incoming.available() || length > Limits.FRAME_BYTES) {
                throw malformed("its frame has " + length + " bytes where " + incoming.available() + " follow");
            }
            return length;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Whether the transport has copied an outgoing frame, so that its bytes may be used anew.
    public boolean consumed() {
        return outgoing == null || outgoing.at == outgoing.total();
    }

    /// Copies an incoming frame; once, and only during the callback that brought it.
    ///
    /// @param target at least as long as [#open()] said.
    public void copyTo(MemorySegment target) {
        if (incoming == null) {
            throw new IllegalStateException("an outgoing frame");
        }
        try {
            long copied = copy(incoming, target);
            if (copied != length) {
                throw malformed(copied + " bytes came of " + length);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    InputStream stream() {
        if (outgoing == null) {
            throw new IllegalStateException("an incoming frame");
        }
        return outgoing;
    }

    private static int readPrefix(InputStream message) throws IOException {
        int tag = message.read();
        if (tag != TAG) {
            throw malformed("it begins with byte " + tag + " instead of field 1 (frame)");
        }
        int length = 0;
        for (int shift = 0; shift < 35; shift += 7) {
            int next = message.read();
            if (next < 0) {
                throw malformed("it ends in the frame's length");
            }
            length |= (next & 0x7f) << shift;
            if (next < 0x80) {
                return length;
            }
        }
        throw malformed("the frame's length has more than five bytes");
    }

    private static long copy(InputStream message, MemorySegment target) throws IOException {
        long at = 0;
        if (message instanceof HasByteBuffer buffers && buffers.byteBufferSupported()) {
            for (ByteBuffer part = buffers.getByteBuffer();
                    part != null && part.hasRemaining();
                    part = buffers.getByteBuffer()) {
                int size = part.remaining();
                MemorySegment.copy(MemorySegment.ofBuffer(part), 0, target, at, size);
                at += size;
                if (message.skip(size) != size) {
                    throw malformed("the transport's buffer ends early");
                }
            }
            return at;
        }
        byte[] all = message.readAllBytes();
        MemorySegment.copy(MemorySegment.ofArray(all), 0, target, 0, all.length);
        return all.length;
    }

    private static ClusterException malformed(String what) {
        return new ClusterException(ErrorReason.INVALID_REQUEST, "malformed message of ExpertService: " + what);
    }

    /// The protobuf message of a frame.
    private static final class Outgoing extends InputStream implements KnownLength, Drainable {
        private final byte[] prefix = new byte[PREFIX_BYTES_MAX];
        private final int prefixLength;
        private final byte[] bytes;
        private final int length;
        private int at; // over prefix and bytes

        Outgoing(byte[] bytes, int length) {
            this.bytes = bytes;
            this.length = length;
            int end = 0;
            prefix[end++] = TAG;
            int rest = length;
            while (rest >= 0x80) {
                prefix[end++] = (byte) (rest | 0x80);
                rest >>>= 7;
            }
            prefix[end++] = (byte) rest;
            prefixLength = end;
        }

        int total() {
            return prefixLength + length;
        }

        @Override
        public int drainTo(OutputStream target) throws IOException {
            int rest = available();
            if (at < prefixLength) {
                target.write(prefix, at, prefixLength - at);
                at = prefixLength;
            }
            target.write(bytes, at - prefixLength, total() - at);
            at = total();
            return rest;
        }

        @Override
        public int available() {
            return total() - at;
        }

        @Override
        public int read() {
            if (at == total()) {
                return -1;
            }
            byte next = at < prefixLength ? prefix[at] : bytes[at - prefixLength];
            at++;
            return next & 0xff;
        }

        @Override
        public int read(byte[] target, int offset, int count) {
            int done = 0;
            for (int next = count > 0 ? read() : -1; next >= 0; next = done < count ? read() : -1) {
                target[offset + done++] = (byte) next;
            }
            return done == 0 && count > 0 ? -1 : done;
        }
    }
}
