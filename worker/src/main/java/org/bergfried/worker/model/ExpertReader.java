package org.bergfried.worker.model;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.bergfried.worker.tensor.StoredTensor;
import org.bergfried.worker.weights.Refusals;

/// Finds the matrices of routed experts, whichever way the files hold them (see [ExpertLayer]).
final class ExpertReader {
    private final TensorFinder tensors;
    private final Names names;
    private final ModelSpec spec;
    private final Map<Integer, ExpertLayer> layers = new HashMap<>();
    private final Set<String> mergedNames = new HashSet<>();

    /// Checks that every expert of every layer is there, so that none is found missing later.
    ExpertReader(TensorFinder tensors, Facts facts) {
        this.tensors = tensors;
        names = new Names(tensors.form(), facts.family());
        spec = facts.spec();
        for (int layer : spec.moeLayers()) {
            layers.put(layer, read(facts.family().experts(), layer, moe(layer)));
        }
    }

    private ExpertLayer read(Family.Experts kind, int layer, FeedForwardSpec.Moe moe) {
        return switch (kind) {
            case SINGLE ->
                tensors.has(names.of(Part.MERGED_GATE_PROJ, layer)) ? merged(layer, moe) : single(layer, moe);
            case HALVES -> halves(layer, moe);
            case TURNS -> turns(layer, moe);
        };
    }

    /// The matrices of one expert.
    TrunkTensors.SwiGlu expert(int layer, int expert) {
        return layer(layer, expert).expert(expert);
    }

    /// What the files hold of one expert.
    List<StoredTensor> stored(int layer, int expert) {
        return layer(layer, expert).stored(expert);
    }

    /// The matrices of one expert, made of copies of what the files hold of it.
    TrunkTensors.SwiGlu expertOf(int layer, int expert, List<StoredTensor> copies) {
        return layer(layer, expert).expertOf(copies);
    }

    private ExpertLayer layer(int layer, int expert) {
        ExpertLayer known = layers.get(layer);
        if (known == null || expert < 0 || expert >= moe(layer).gate().experts()) {
            throw new IllegalArgumentException("layer " + layer + " has no expert " + expert);
        }
        return known;
    }

    /// A tensor of the file as the manifest lists it: the experts of a merged one, else itself.
    List<StoredTensor> parts(StoredTensor tensor) {
        if (!mergedNames.contains(tensor.name())) {
            return List.of(tensor);
        }
        return IntStream.range(0, tensor.shape().getFirst())
                .mapToObj(expert -> ExpertLayer.slice(tensor, expert))
                .toList();
    }

    private FeedForwardSpec.Moe moe(int layer) {
        if (layer >= 0 && layer < spec.layers().size() && spec.layers().get(layer) instanceof FeedForwardSpec.Moe moe) {
            return moe;
        }
        throw new IllegalArgumentException("layer " + layer + " is no mixture of experts");
    }

    private ExpertLayer single(int layer, FeedForwardSpec.Moe moe) {
        int columns = moe.expertColumns();
        int hidden = spec.hiddenSize();
        var experts = new ArrayList<TrunkTensors.SwiGlu>();
        for (int expert = 0; expert < moe.gate().experts(); expert++) {
            experts.add(new TrunkTensors.SwiGlu(
                    tensors.matrix(names.of(Part.EXPERT_GATE_PROJ, layer, expert), columns, hidden),
                    tensors.matrix(names.of(Part.EXPERT_UP_PROJ, layer, expert), columns, hidden),
                    tensors.matrix(names.of(Part.EXPERT_DOWN_PROJ, layer, expert), hidden, columns)));
        }
        return new ExpertLayer.Single(experts);
    }

    private ExpertLayer merged(int layer, FeedForwardSpec.Moe moe) {
        int experts = moe.gate().experts();
        int columns = moe.expertColumns();
        int hidden = spec.hiddenSize();
        return new ExpertLayer.Merged(
                all(Part.MERGED_GATE_PROJ, layer, experts, columns, hidden),
                all(Part.MERGED_UP_PROJ, layer, experts, columns, hidden),
                all(Part.MERGED_DOWN_PROJ, layer, experts, hidden, columns));
    }

    private ExpertLayer halves(int layer, FeedForwardSpec.Moe moe) {
        int experts = moe.gate().experts();
        int columns = moe.expertColumns();
        int hidden = spec.hiddenSize();
        return new ExpertLayer.Halves(
                all(Part.FUSED_GATE_UP_PROJ, layer, experts, 2 * columns, hidden),
                all(Part.FUSED_DOWN_PROJ, layer, experts, hidden, columns));
    }

    private ExpertLayer turns(int layer, FeedForwardSpec.Moe moe) {
        int experts = moe.gate().experts();
        int columns = moe.expertColumns();
        int hidden = spec.hiddenSize();
        return new TurnsLayer(
                all(Part.FUSED_GATE_UP_PROJ, layer, experts, hidden, 2 * columns),
                merge(tensors.floatMatrix(names.of(Part.FUSED_GATE_UP_BIAS, layer), experts, 2 * columns)),
                all(Part.FUSED_DOWN_PROJ, layer, experts, columns, hidden),
                merge(tensors.floatMatrix(names.of(Part.FUSED_DOWN_BIAS, layer), experts, hidden)));
    }

    private StoredTensor all(Part part, int layer, int experts, int rows, int columns) {
        if ((long) experts * rows > Integer.MAX_VALUE) {
            throw Refusals.unsupported(
                    tensors.path(), "layer " + layer + " has more than 2^31 - 1 rows of experts in one tensor");
        }
        return merge(tensors.matrices(names.of(part, layer), experts, rows, columns));
    }

    private StoredTensor merge(StoredTensor tensor) {
        mergedNames.add(tensor.name());
        return tensor;
    }
}
