package org.bergfried.worker.weights.gguf;

import org.jspecify.annotations.Nullable;

/// Types of metadata values, in the order of their numbers in the format.
enum GgufType {
    UINT8(1),
    INT8(1),
    UINT16(2),
    INT16(2),
    UINT32(4),
    INT32(4),
    FLOAT32(4),
    BOOL(1),
    STRING(0),
    ARRAY(0),
    UINT64(8),
    INT64(8),
    FLOAT64(8);

    private static final GgufType[] BY_NUMBER = values();

    private final int bytes;

    GgufType(int bytes) {
        this.bytes = bytes;
    }

    /// Bytes of a value; 0 where they vary.
    int bytes() {
        return bytes;
    }

    /// The type with a number, or null.
    static @Nullable GgufType numbered(int number) {
        return number >= 0 && number < BY_NUMBER.length ? BY_NUMBER[number] : null;
    }
}
