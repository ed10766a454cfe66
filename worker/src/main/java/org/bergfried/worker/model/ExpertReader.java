package org.bergfried.worker.model;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.bergfried.worker.model.Part.Form;
import org.bergfried.worker.tensor.StoredPart;
import org.bergfried.worker.tensor.StoredTensor;
import org.bergfried.worker.weights.Refusals;
import org.bergfried.worker.weights.TensorEntry;

/// Finds the matrices of routed experts, whichever way the files hold them (see [ExpertLayer]).
final class ExpertReader {
    /// What stands behind the name of a weight whose integers are packed.
    private static final String PACKED = "_packed";
    /// What stands behind the name of a weight of floats of four bits.
    private static final String BLOCKS = "_blocks";

    private final TensorFinder tensors;
    private final Names names;
    private final ModelSpec spec;
    private final Map<Integer, ExpertLayer> layers = new HashMap<>();
    private final Map<String, Integer> expertsOf = new HashMap<>(); // name of a tensor of all experts -> how many

    /// Checks that every expert of every layer is there, so that none is found missing later.
    ExpertReader(TensorFinder tensors, Facts facts) {
        this.tensors = tensors;
        names = new Names(tensors.form(), facts.family());
        spec = facts.spec();
        for (int layer : spec.moeLayers()) {
            boolean gguf = tensors.form() == Form.GGUF;
            Family.Experts kind = facts.family().experts();
            layers.put(layer, gguf ? ofGguf(kind, layer, moe(layer)) : read(kind, layer, moe(layer)));
        }
    }

    private ExpertLayer read(Family.Experts kind, int layer, FeedForwardSpec.Moe moe) {
        return switch (kind) {
            case SINGLE -> {
                boolean isPacked = tensors.has(names.of(Part.EXPERT_GATE_PROJ, layer, 0) + PACKED);
                yield isPacked ? packed(layer, moe) : single(layer, moe);
            }
            case HALVES -> halves(layer, moe);
            case TURNS ->
                tensors.has(names.of(Part.FUSED_GATE_UP_PROJ, layer) + BLOCKS) ? mx(layer, moe) : turns(layer, moe);
        };
    }

    /// Converters bring every family to the same form: of all experts, gate and up in one or two tensors, or one
    /// tensor for each expert and matrix.
    private ExpertLayer ofGguf(Family.Experts kind, int layer, FeedForwardSpec.Moe moe) {
        if (kind == Family.Experts.TURNS) {
            return biased(layer, moe);
        }
        if (tensors.has(names.of(Part.FUSED_GATE_UP_PROJ, layer))) {
            return halves(layer, moe);
        }
        return tensors.has(names.of(Part.MERGED_GATE_PROJ, layer)) ? merged(layer, moe) : single(layer, moe);
    }

    /// The matrices of one expert.
    TrunkTensors.SwiGlu expert(int layer, int expert) {
        return layer(layer, expert).expert(expert);
    }

    /// What the files hold of one expert, as the manifest lists it.
    List<StoredPart> parts(int layer, int expert) {
        return layer(layer, expert).parts(expert);
    }

    /// The matrices of one expert, made of copies of what the files hold of it.
    TrunkTensors.SwiGlu expertOf(int layer, int expert, List<StoredPart> copies) {
        return layer(layer, expert).expertOf(expert, copies);
    }

    private ExpertLayer layer(int layer, int expert) {
        ExpertLayer known = layers.get(layer);
        if (known == null || expert < 0 || expert >= moe(layer).gate().experts()) {
            throw new IllegalArgumentException("layer " + layer + " has no expert " + expert);
        }
        return known;
    }

    /// A tensor of the file as the manifest lists it: the experts of a merged one, else itself.
    List<StoredPart> parts(TensorEntry entry) {
        Integer experts = expertsOf.get(entry.name());
        return experts == null
                ? List.of(Manifest.part(entry))
                : IntStream.range(0, experts)
                        .mapToObj(expert -> Manifest.part(entry, expert))
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

    private ExpertLayer packed(int layer, FeedForwardSpec.Moe moe) {
        int columns = moe.expertColumns();
        int hidden = spec.hiddenSize();
        var experts = new ArrayList<PackedLayer.Expert>();
        for (int expert = 0; expert < moe.gate().experts(); expert++) {
            experts.add(new PackedLayer.Expert(
                    packed(names.of(Part.EXPERT_GATE_PROJ, layer, expert), columns, hidden),
                    packed(names.of(Part.EXPERT_UP_PROJ, layer, expert), columns, hidden),
                    packed(names.of(Part.EXPERT_DOWN_PROJ, layer, expert), hidden, columns)));
        }
        return new PackedLayer(experts);
    }

    private PackedLayer.Matrix packed(String name, int rows, int columns) {
        requireBlocks(name, columns);
        return new PackedLayer.Matrix(
                typed(name + PACKED, "I32", List.of(rows, columns / 8)),
                typed(name + "_scale", "BF16", List.of(rows, columns / 32)),
                typed(name + "_shape", "I64", List.of(2)),
                rows,
                columns);
    }

    private ExpertLayer biased(int layer, FeedForwardSpec.Moe moe) {
        int experts = moe.gate().experts();
        int columns = moe.expertColumns();
        return new BiasedLayer(
                merged(layer, moe),
                merge(tensors.floatMatrix(names.of(Part.MERGED_GATE_BIAS, layer), experts, columns)),
                merge(tensors.floatMatrix(names.of(Part.MERGED_UP_BIAS, layer), experts, columns)),
                merge(tensors.floatMatrix(names.of(Part.MERGED_DOWN_BIAS, layer), experts, spec.hiddenSize())));
    }

    private ExpertLayer.Merged merged(int layer, FeedForwardSpec.Moe moe) {
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

    private ExpertLayer mx(int layer, FeedForwardSpec.Moe moe) {
        int experts = moe.gate().experts();
        int columns = moe.expertColumns();
        int hidden = spec.hiddenSize();
        return new MxLayer(
                mx(Part.FUSED_GATE_UP_PROJ, layer, experts, 2 * columns, hidden),
                merge(tensors.floatMatrix(names.of(Part.FUSED_GATE_UP_BIAS, layer), experts, 2 * columns)),
                mx(Part.FUSED_DOWN_PROJ, layer, experts, hidden, columns),
                merge(tensors.floatMatrix(names.of(Part.FUSED_DOWN_BIAS, layer), experts, hidden)));
    }

    private MxLayer.Matrices mx(Part part, int layer, int experts, int rows, int columns) {
        String name = names.of(part, layer);
        requireBlocks(name, columns);
        TensorEntry blocks = typed(name + BLOCKS, "U8", List.of(experts, rows, columns / 32, 16));
        TensorEntry scales = typed(name + "_scales", "U8", List.of(experts, rows, columns / 32));
        expertsOf.put(blocks.name(), experts);
        expertsOf.put(scales.name(), experts);
        return new MxLayer.Matrices(blocks, scales, rows, columns);
    }

    private void requireBlocks(String name, int columns) {
        if (columns % 32 != 0) {
            throw Refusals.unsupported(
                    tensors.path(),
                    "tensor " + name + " has rows of " + columns
                            + " elements, no multiple of the 32 that share a scale");
        }
    }

    private TensorEntry typed(String name, String type, List<Integer> shape) {
        TensorEntry entry = tensors.entry(name, shape);
        if (!entry.typeName().equals(type)) {
            throw Refusals.unsupported(
                    entry.file(),
                    "tensor " + name + " has the type " + Refusals.shown(entry.typeName()) + "; it must be " + type);
        }
        return entry;
    }

    private StoredTensor all(Part part, int layer, int experts, int rows, int columns) {
        if ((long) experts * rows > Integer.MAX_VALUE) {
            throw Refusals.unsupported(
                    tensors.path(), "layer " + layer + " has more than 2^31 - 1 rows of experts in one tensor");
        }
        return merge(tensors.matrices(names.of(part, layer), experts, rows, columns));
    }

    private StoredTensor merge(StoredTensor tensor) {
        expertsOf.put(tensor.name(), tensor.shape().getFirst());
        return tensor;
    }
}
