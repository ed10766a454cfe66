package org.bergfried.worker.model;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.StoredTensor;

/// Brings four-bit weights and their scales together in blocks, where safetensors have them in tensors of their
/// own. A
/// file's byte holds two neighbouring columns, the first one below; a block's byte holds columns `j` and `16 + j`.
final class Nibbles {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int FILE_BYTES = 16; // 32 columns without their scale

    private Nibbles() {}

    /// Rows `first`, `first + step` ... as a tensor in private memory.
    ///
    /// @param type    with blocks of 32 columns: a scale, then 16 bytes.
    /// @param rows    how many rows the file's tensors have.
    /// @param columns a multiple of 32.
    /// @param packed  `[rows, columns / 2]` bytes.
    /// @param scales  `[rows, columns / 32]` of the type's scale.
    static StoredTensor blocks(
            String name,
            ElementType type,
            int rows,
            int columns,
            MemorySegment packed,
            MemorySegment scales,
            int first,
            int step) {
        int blocks = columns / 32;
        int scaleBytes = type.blockBytes() - FILE_BYTES;
        int outputs = rows / step;
        MemorySegment target = MemorySegment.ofArray(new byte[Math.toIntExact(outputs * type.rowBytes(columns))]);
        long to = 0;
        for (int output = 0; output < outputs; output++) {
            long block = (long) (first + output * step) * blocks;
            for (int b = 0; b < blocks; b++, block++) {
                MemorySegment.copy(scales, block * scaleBytes, target, to, scaleBytes);
                long below = packed.get(LONG, block * FILE_BYTES);
                long above = packed.get(LONG, block * FILE_BYTES + 8);
                target.set(LONG, to + scaleBytes, spread(below) | (spread(above) << 4));
                target.set(LONG, to + scaleBytes + 8, spread(below >>> 32) | (spread(above >>> 32) << 4));
                to += type.blockBytes();
            }
        }
        return new StoredTensor(name, type, List.of(outputs, columns), target);
    }

    /// The lower eight nibbles, each in the lower half of a byte.
    private static long spread(long nibbles) {
        long spread = nibbles & 0xffffffffL;
        spread = (spread | (spread << 16)) & 0x0000ffff0000ffffL;
        spread = (spread | (spread << 8)) & 0x00ff00ff00ff00ffL;
        return (spread | (spread << 4)) & 0x0f0f0f0f0f0f0f0fL;
    }
}
