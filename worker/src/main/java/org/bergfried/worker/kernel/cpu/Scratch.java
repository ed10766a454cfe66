package org.bergfried.worker.kernel.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Working memory of one compute thread in one backend. It grows to the largest size ever asked for and is then
/// reused, so operations of a known shape allocate nothing. Contents are undefined between kernels.
public final class Scratch {
    private final Scratch shared;
    private final float[] sums = new float[32];
    private float[] floats = {};
    private float[] moreFloats = {};
    private float[] work = {};
    private byte[] bytes = {};
    private MemorySegment memory = MemorySegment.NULL;
    private int[] ints = {};

    /// Working memory whose [#shared()] is itself: what an operation prepares once for all threads.
    Scratch() {
        shared = this;
    }

    /// Working memory of one thread beside that of the whole operation.
    Scratch(Scratch shared) {
        this.shared = shared;
    }

    /// What the operation prepared for all of its threads.
    public Scratch shared() {
        return shared;
    }

    /// At least `count` floats.
    public float[] floats(int count) {
        if (floats.length < count) {
            floats = new float[roomFor(count)];
        }
        return floats;
    }

    /// At least `count` further floats.
    public float[] moreFloats(int count) {
        if (moreFloats.length < count) {
            moreFloats = new float[roomFor(count)];
        }
        return moreFloats;
    }

    /// The 32 partial sums of rule D.
    public float[] sums() {
        return sums;
    }

    /// At least `count` floats for a kernel's innermost results.
    public float[] work(int count) {
        if (work.length < count) {
            work = new float[roomFor(count)];
        }
        return work;
    }

    /// At least `count` bytes.
    public byte[] bytes(int count) {
        if (bytes.length < count) {
            bytes = new byte[roomFor(count)];
        }
        return bytes;
    }

    /// At least `bytes` bytes off the heap.
    public MemorySegment memory(long bytes) {
        if (memory.byteSize() < bytes) {
            memory = Arena.ofAuto().allocate(Long.highestOneBit(bytes - 1) << 1, 64);
        }
        return memory;
    }

    /// At least `count` ints.
    public int[] ints(int count) {
        if (ints.length < count) {
            ints = new int[roomFor(count)];
        }
        return ints;
    }

    private static int roomFor(int count) {
        return count < 1 << 30 ? Math.max(1024, Integer.highestOneBit(count - 1) << 1) : count;
    }
}
