package org.bergfried.contract.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// Memory for the frames of one stream, reserved at start and given out in order. A frame lies in one piece, so the
/// end of the ring is skipped where it does not fit. Thread-safe: the network's thread takes, whoever is done with a
/// frame closes it, in any order.
public final class FrameRing {
    /// Frames begin at multiples of it.
    public static final int ALIGNMENT = 64;

    private final MemorySegment memory; // [bytes], 64-byte aligned
    private final ArrayDeque<Slot> slots = new ArrayDeque<>(); // in the order taken; the first is the oldest

    /// A piece of the ring that holds one frame until it is closed.
    public final class Slot implements AutoCloseable {
        private final long begin;
        private final long end;
        private boolean closed;

        private Slot(long begin, long end) {
            this.begin = begin;
            this.end = end;
        }

        /// The frame's memory, 64-byte aligned. Must not be touched after [#close()].
        public MemorySegment bytes() {
            return memory.asSlice(begin, end - begin);
        }

        /// Gives the memory back; a second call does nothing.
        @Override
        public void close() {
            synchronized (slots) {
                closed = true;
                while (!slots.isEmpty() && slots.getFirst().closed) {
                    slots.removeFirst();
                }
            }
        }
    }

    /// Reserves memory.
    ///
    /// @param arena whose closing frees it.
    /// @param bytes size.
    public FrameRing(Arena arena, long bytes) {
        this.memory = arena.allocate(bytes, ALIGNMENT);
    }

    /// Bytes of a ring that holds frames of `payloadBytes` in all, none larger than `frameBytesMax`, in any mixture,
    /// besides one of the largest frames that arrives.
    public static long bytesFor(long payloadBytes, long frameBytesMax) {
        return payloadBytes + 2 * roundUp(frameBytesMax);
    }

    /// Takes memory for a frame, or null if there is none.
    ///
    /// @param bytes at least 1.
    public @Nullable Slot take(long bytes) {
        synchronized (slots) {
            long begin = place(bytes);
            if (begin < 0) {
                return null;
            }
            var slot = new Slot(begin, begin + bytes);
            slots.addLast(slot);
            return slot;
        }
    }

    /// Whether a frame of that size would find room now.
    public boolean fits(long bytes) {
        synchronized (slots) {
            return place(bytes) >= 0;
        }
    }

    private long place(long bytes) {
        if (slots.isEmpty()) {
            return bytes <= memory.byteSize() ? 0 : -1;
        }
        long tail = slots.getFirst().begin;
        long head = roundUp(slots.getLast().end);
        if (slots.getLast().begin >= tail) {
            if (head + bytes <= memory.byteSize()) {
                return head;
            }
            return bytes <= tail ? 0 : -1;
        }
        return head + bytes <= tail ? head : -1;
    }

    private static long roundUp(long bytes) {
        return (bytes + ALIGNMENT - 1) & -ALIGNMENT;
    }
}
