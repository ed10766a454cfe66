package org.bergfried.worker.kernel.check;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.tensor.Buffer;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.Rows;
import org.bergfried.worker.tensor.StoredTensor;
import org.jspecify.annotations.Nullable;

/// Moves arrays to and from a backend.
public final class Host {
    private Host() {}

    /// A buffer of these numbers.
    public static Buffer floats(Backend backend, float... values) {
        Buffer buffer = backend.allocate(Math.max(4, values.length * 4L));
        backend.write(MemorySegment.ofArray(values), buffer, 0);
        return buffer;
    }

    /// A buffer of these numbers.
    public static Buffer ints(Backend backend, int... values) {
        Buffer buffer = backend.allocate(Math.max(4, values.length * 4L));
        backend.write(MemorySegment.ofArray(values), buffer, 0);
        return buffer;
    }

    /// A buffer of these numbers.
    public static Buffer longs(Backend backend, long... values) {
        Buffer buffer = backend.allocate(Math.max(8, values.length * 8L));
        backend.write(MemorySegment.ofArray(values), buffer, 0);
        return buffer;
    }

    /// Rows without gaps.
    public static Rows rows(Backend backend, int columns, float... values) {
        return Rows.of(floats(backend, values), columns);
    }

    /// What a buffer holds.
    public static float[] floats(Backend backend, Buffer buffer) {
        var values = new float[(int) (buffer.byteSize() / 4)];
        backend.read(buffer, 0, MemorySegment.ofArray(values));
        return values;
    }

    /// What a buffer holds.
    public static int[] ints(Backend backend, Buffer buffer) {
        var values = new int[(int) (buffer.byteSize() / 4)];
        backend.read(buffer, 0, MemorySegment.ofArray(values));
        return values;
    }

    /// What a buffer holds.
    public static long[] longs(Backend backend, Buffer buffer) {
        var values = new long[(int) (buffer.byteSize() / 8)];
        backend.read(buffer, 0, MemorySegment.ofArray(values));
        return values;
    }

    /// What a buffer holds.
    public static byte[] bytes(Backend backend, Buffer buffer) {
        var values = new byte[(int) buffer.byteSize()];
        backend.read(buffer, 0, MemorySegment.ofArray(values));
        return values;
    }

    /// A float32 tensor.
    public static StoredTensor tensor(int rows, int columns, float... values) {
        MemorySegment bytes = Arena.ofAuto().allocateFrom(ValueLayout.JAVA_FLOAT, values);
        return new StoredTensor("w", ElementType.F32, List.of(rows, columns), bytes);
    }

    /// A tensor of these bytes.
    public static StoredTensor tensor(ElementType type, int rows, int columns, byte... bytes) {
        MemorySegment segment = Arena.ofAuto().allocateFrom(ValueLayout.JAVA_BYTE, bytes);
        return new StoredTensor("w", type, List.of(rows, columns), segment, scales(type, rows, columns));
    }

    /// Scales of an FP8 tensor that differ from block to block: 1.25, -0.625, 0.3125 ...
    private static @Nullable MemorySegment scales(ElementType type, int rows, int columns) {
        if (type != ElementType.F8_E4M3) {
            return null;
        }
        var scales = new float[StoredTensor.scaleBlocks(rows) * StoredTensor.scaleBlocks(columns)];
        for (int i = 0; i < scales.length; i++) {
            scales[i] = 1.25f / (1 << i % 30) * (i % 2 == 0 ? 1 : -1);
        }
        return Arena.ofAuto().allocateFrom(ValueLayout.JAVA_FLOAT, scales);
    }

    /// Where the 16-bit scales of a block lie: the offsets of their first bytes.
    public static int[] scaleOffsets(ElementType type) {
        return switch (type) {
            case F32, F8_E4M3, F4_E2M1, MXFP4 -> new int[0];
            case F16, BF16, Q8_0, Q4_0, Q5_0, IQ4_NL, IQ4_XS, INT4 -> new int[] {0};
            case Q4_1, Q5_1, Q4_K, Q5_K -> new int[] {0, 2};
            case Q2_K -> new int[] {80, 82};
            case Q3_K -> new int[] {108};
            case Q6_K -> new int[] {208};
        };
    }

    /// Random codes; f16 scales of both signs, about 2^-12 to 2^3 in size. The same bytes as in `reference.c`.
    public static StoredTensor coded(SplitMix random, ElementType type, int rows, int columns) {
        int size = type.blockBytes();
        int[] scalesAt = scaleOffsets(type);
        var bytes = new byte[(int) (rows * type.rowBytes(columns))];
        for (int block = 0; block < bytes.length; block += size) {
            for (int i = 0; i < size; i++) {
                bytes[block + i] = (byte) random.draw();
            }
            long bits = random.draw();
            int scale = (int) ((bits & 0x83ff) | ((3 + Long.remainderUnsigned(bits >>> 16, 16)) << 10));
            for (int scaleAt : scalesAt) {
                bytes[block + scaleAt] = (byte) scale;
                bytes[block + scaleAt + 1] = (byte) (scale >> 8);
            }
        }
        return tensor(type, rows, columns, bytes);
    }

    /// The bits of floats with one bit pattern for every NaN.
    public static int[] bits(float... values) {
        var bits = new int[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToIntBits(values[i]);
        }
        return bits;
    }
}
