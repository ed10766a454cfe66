package org.bergfried.worker.model;

import java.util.List;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.StoredPart;
import org.bergfried.worker.tensor.StoredTensor;
import org.bergfried.worker.weights.TensorEntry;

/// Experts of four-bit integers as compressed-tensors packs them (Kimi K2 Thinking): 32 columns share a scale. Blocks
/// are put together anew each time: the backend that loads them keeps its own copy.
///
/// @param experts by index.
record PackedLayer(List<Expert> experts) implements ExpertLayer {
    PackedLayer {
        experts = List.copyOf(experts);
    }

    /// The matrices of one expert.
    record Expert(Matrix gateProj, Matrix upProj, Matrix downProj) {}

    /// A matrix, `[rows, columns]`.
    ///
    /// @param packed `[rows, columns / 8]` of 32 bits: eight integers plus 8, the first one lowest.
    /// @param scale  `[rows, columns / 32]` of bfloat16.
    /// @param shape  rows and columns.
    record Matrix(TensorEntry packed, TensorEntry scale, TensorEntry shape, int rows, int columns) {
        private StoredTensor blocks(List<StoredPart> parts, int from) {
            return Nibbles.blocks(
                    packed.name(),
                    ElementType.INT4,
                    rows,
                    columns,
                    parts.get(from).bytes(),
                    parts.get(from + 1).bytes(),
                    0,
                    1);
        }

        private List<StoredPart> parts() {
            return List.of(Manifest.part(packed), Manifest.part(scale), Manifest.part(shape));
        }
    }

    @Override
    public List<StoredPart> parts(int index) {
        Expert expert = experts.get(index);
        return List.of(expert.gateProj, expert.upProj, expert.downProj).stream()
                .flatMap(matrix -> matrix.parts().stream())
                .toList();
    }

    @Override
    public TrunkTensors.SwiGlu expertOf(int index, List<StoredPart> parts) {
        Expert expert = experts.get(index);
        return new TrunkTensors.SwiGlu(
                expert.gateProj.blocks(parts, 0), expert.upProj.blocks(parts, 3), expert.downProj.blocks(parts, 6));
    }
}
