package org.bergfried.worker.tensor;

import java.lang.foreign.MemorySegment;
import java.util.List;

/// Bytes of a model file that have a line of their own in the manifest: a tensor, or the part of one that belongs to
/// one expert. What the bytes mean is said elsewhere: packed weights and their scales are parts too.
///
/// @param name  the tensor's name, `name#expert` for a part.
/// @param shape sizes, outermost first.
/// @param bytes its bytes.
public record StoredPart(String name, List<Long> shape, MemorySegment bytes) {
    public StoredPart {
        shape = List.copyOf(shape);
    }

    /// The same part in other memory.
    public StoredPart copiedTo(MemorySegment copy) {
        if (copy.byteSize() != bytes.byteSize()) {
            throw new IllegalArgumentException(
                    name + " has " + bytes.byteSize() + " bytes, and a copy of it " + copy.byteSize());
        }
        return new StoredPart(name, shape, copy);
    }
}
