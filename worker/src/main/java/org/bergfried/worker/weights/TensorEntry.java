package org.bergfried.worker.weights;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.StoredTensor;
import org.jspecify.annotations.Nullable;

/// What a file's directory says about a tensor. The bytes are known to lie in the file and to be as many as type and
/// shape need.
///
/// @param file     the file that holds it.
/// @param name     its name there.
/// @param typeName the format's name of its type.
/// @param type     the type, or null if no kernel understands it.
/// @param shape    sizes, outermost first; empty for a scalar.
/// @param bytes    its bytes, mapped.
public record TensorEntry(
        Path file, String name, String typeName, @Nullable ElementType type, List<Long> shape, MemorySegment bytes) {
    public TensorEntry {
        shape = List.copyOf(shape);
    }

    /// The tensor for computing with.
    ///
    /// @throws org.bergfried.contract.ClusterException MODEL_UNSUPPORTED if its type or shape is not understood.
    public StoredTensor stored() {
        return stored(null);
    }

    /// The same with the scales that its type needs.
    public StoredTensor stored(@Nullable MemorySegment scales) {
        ElementType known = type;
        if (known == null) {
            throw Refusals.unsupported(
                    file,
                    "tensor " + Refusals.shown(name) + " has the type " + Refusals.shown(typeName) + "; understood are "
                            + List.of(ElementType.values()));
        }
        boolean sane = !shape.isEmpty() && shape.stream().allMatch(size -> size >= 1 && size <= Integer.MAX_VALUE);
        if (!sane || shape.getLast() % known.blockColumns() != 0) {
            throw Refusals.unsupported(
                    file,
                    "tensor " + Refusals.shown(name) + " has the shape " + shape + "; every size must be 1 to 2^31 - 1"
                            + " and the last a multiple of the " + known.blockColumns() + " of " + known);
        }
        return new StoredTensor(name, known, shape.stream().map(Long::intValue).toList(), bytes, scales);
    }
}
