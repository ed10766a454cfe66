package org.bergfried.worker.model;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.bergfried.worker.model.Part.Form;
import org.bergfried.worker.tensor.StoredTensor;
import org.bergfried.worker.weights.Refusals;

/// Finds the matrices of routed experts: one tensor per expert, or all experts of a layer in one (sliced here).
final class ExpertReader {
    /// A layer's experts in one tensor each, `[experts, outputs, inputs]`.
    private record Merged(StoredTensor gateProj, StoredTensor upProj, StoredTensor downProj) {}

    private final TensorFinder tensors;
    private final Form form;
    private final ModelSpec spec;
    private final Map<Integer, Merged> merged = new HashMap<>();
    private final Set<String> mergedNames = new HashSet<>();
    private final Map<Integer, TrunkTensors.SwiGlu[]> single = new HashMap<>();

    /// Checks that every expert of every layer is there, so that none is found missing later.
    ExpertReader(TensorFinder tensors, ModelSpec spec) {
        this.tensors = tensors;
        this.form = tensors.form();
        this.spec = spec;
        for (int layer : spec.moeLayers()) {
            FeedForwardSpec.Moe moe = moe(layer);
            if (tensors.has(Part.MERGED_GATE_PROJ.name(form, layer))) {
                merged.put(layer, readMerged(layer, moe));
            } else {
                single.put(layer, readSingle(layer, moe));
            }
        }
    }

    /// The matrices of one expert.
    TrunkTensors.SwiGlu expert(int layer, int expert) {
        FeedForwardSpec.Moe moe = moe(layer);
        if (expert < 0 || expert >= moe.gate().experts()) {
            throw new IllegalArgumentException("layer " + layer + " has no expert " + expert);
        }
        TrunkTensors.SwiGlu[] own = single.get(layer);
        return own == null ? sliced(layer, moe, expert) : own[expert];
    }

    /// A tensor of the file as the manifest lists it: the experts of a merged one, else itself.
    List<StoredTensor> parts(StoredTensor tensor) {
        if (!mergedNames.contains(tensor.name())) {
            return List.of(tensor);
        }
        int rows = tensor.shape().get(1);
        return IntStream.range(0, tensor.shape().getFirst())
                .mapToObj(expert -> slice(tensor, expert, rows))
                .toList();
    }

    private TrunkTensors.SwiGlu sliced(int layer, FeedForwardSpec.Moe moe, int expert) {
        Merged all = merged.get(layer);
        if (all == null) {
            throw new IllegalStateException("layer " + layer + " has no experts");
        }
        return new TrunkTensors.SwiGlu(
                slice(all.gateProj, expert, moe.expertColumns()),
                slice(all.upProj, expert, moe.expertColumns()),
                slice(all.downProj, expert, spec.hiddenSize()));
    }

    private FeedForwardSpec.Moe moe(int layer) {
        if (layer >= 0 && layer < spec.layers().size() && spec.layers().get(layer) instanceof FeedForwardSpec.Moe moe) {
            return moe;
        }
        throw new IllegalArgumentException("layer " + layer + " is no mixture of experts");
    }

    private static StoredTensor slice(StoredTensor tensor, int expert, int rows) {
        return tensor.slice(tensor.name() + "#" + expert, expert * rows, rows);
    }

    private Merged readMerged(int layer, FeedForwardSpec.Moe moe) {
        int experts = moe.gate().experts();
        int columns = moe.expertColumns();
        int hidden = spec.hiddenSize();
        if ((long) experts * Math.max(columns, hidden) > Integer.MAX_VALUE) {
            throw Refusals.unsupported(
                    tensors.path(), "layer " + layer + " has more than 2^31 - 1 rows of experts in one tensor");
        }
        return new Merged(
                merged(Part.MERGED_GATE_PROJ, layer, experts, columns, hidden),
                merged(Part.MERGED_UP_PROJ, layer, experts, columns, hidden),
                merged(Part.MERGED_DOWN_PROJ, layer, experts, hidden, columns));
    }

    private StoredTensor merged(Part part, int layer, int experts, int rows, int columns) {
        StoredTensor tensor = tensors.matrices(part.name(form, layer), experts, rows, columns);
        mergedNames.add(tensor.name());
        return tensor;
    }

    private TrunkTensors.SwiGlu[] readSingle(int layer, FeedForwardSpec.Moe moe) {
        int columns = moe.expertColumns();
        int hidden = spec.hiddenSize();
        var experts = new TrunkTensors.SwiGlu[moe.gate().experts()];
        for (int expert = 0; expert < experts.length; expert++) {
            experts[expert] = new TrunkTensors.SwiGlu(
                    tensors.matrix(Part.EXPERT_GATE_PROJ.name(form, layer, expert), columns, hidden),
                    tensors.matrix(Part.EXPERT_UP_PROJ.name(form, layer, expert), columns, hidden),
                    tensors.matrix(Part.EXPERT_DOWN_PROJ.name(form, layer, expert), hidden, columns));
        }
        return experts;
    }
}
