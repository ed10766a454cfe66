package org.bergfried.worker.model;

import java.util.ArrayList;
import java.util.List;
import org.bergfried.worker.tensor.StoredPart;
import org.bergfried.worker.tensor.StoredTensor;

/// A layer's experts in one tensor each and their biases likewise: gpt-oss in a GGUF.
///
/// @param matrices of all experts.
/// @param gate     biases `[experts, columns]`.
/// @param up       likewise.
/// @param down     `[experts, hiddenSize]`.
record BiasedLayer(ExpertLayer.Merged matrices, StoredTensor gate, StoredTensor up, StoredTensor down)
        implements ExpertLayer {
    @Override
    public List<StoredPart> parts(int expert) {
        var parts = new ArrayList<>(matrices.parts(expert));
        for (StoredTensor bias : List.of(gate, up, down)) {
            parts.add(ExpertLayer.part(ExpertLayer.slice(bias, expert)));
        }
        return parts;
    }

    @Override
    public TrunkTensors.SwiGlu expertOf(int expert, List<StoredPart> parts) {
        TrunkTensors.SwiGlu plain = matrices.expertOf(expert, parts.subList(0, 3));
        var biases = new TrunkTensors.Biases(
                ExpertLayer.of(gate, expert, parts.get(3)),
                ExpertLayer.of(up, expert, parts.get(4)),
                ExpertLayer.of(down, expert, parts.get(5)));
        return new TrunkTensors.SwiGlu(plain.gateProj(), plain.upProj(), plain.downProj(), biases);
    }
}
