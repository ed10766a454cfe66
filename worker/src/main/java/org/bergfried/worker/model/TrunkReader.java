package org.bergfried.worker.model;

import java.util.ArrayList;
import org.bergfried.worker.model.Part.Form;
import org.bergfried.worker.tensor.StoredTensor;
import org.jspecify.annotations.Nullable;

/// Collects the trunk's tensors by the part that they play.
final class TrunkReader {
    private final TensorFinder tensors;
    private final Form form;
    private final Family family;
    private final ModelSpec spec;
    private final LatentSplit split;
    private final boolean attentionBias;

    TrunkReader(TensorFinder tensors, Facts facts, LatentSplit split) {
        this.tensors = tensors;
        this.form = tensors.form();
        this.family = facts.family();
        this.spec = facts.spec();
        this.split = split;
        this.attentionBias = facts.attentionBias();
    }

    TrunkTensors read() {
        int hidden = spec.hiddenSize();
        StoredTensor embedding = tensors.matrix(Part.EMBEDDING.name(form), spec.vocabularySize(), hidden);
        var layers = new ArrayList<TrunkTensors.Layer>();
        for (int layer = 0; layer < spec.layers().size(); layer++) {
            layers.add(new TrunkTensors.Layer(
                    tensors.vector(Part.ATTENTION_NORM.name(form, layer), hidden),
                    attention(layer),
                    tensors.vector(Part.FEED_FORWARD_NORM.name(form, layer), hidden),
                    feedForward(layer)));
        }
        if (spec.tiedHead()) {
            tensors.ignore(Part.HEAD.name(form));
        }
        StoredTensor head =
                spec.tiedHead() ? embedding : tensors.matrix(Part.HEAD.name(form), spec.vocabularySize(), hidden);
        return new TrunkTensors(embedding, layers, tensors.vector(Part.OUTPUT_NORM.name(form), hidden), head);
    }

    private TrunkTensors.Attention attention(int layer) {
        return switch (spec.attention()) {
            case AttentionSpec.Grouped grouped -> grouped(layer, grouped);
            case AttentionSpec.Latent latent -> latent(layer, latent);
        };
    }

    private TrunkTensors.Grouped grouped(int layer, AttentionSpec.Grouped attention) {
        int hidden = spec.hiddenSize();
        int head = attention.headColumns();
        int queries = attention.heads() * head;
        int keys = attention.kvHeads() * head;
        boolean norms = family.headNorms();
        return new TrunkTensors.Grouped(
                tensors.matrix(Part.QUERY.name(form, layer), queries, hidden),
                tensors.matrix(Part.KEY.name(form, layer), keys, hidden),
                tensors.matrix(Part.VALUE.name(form, layer), keys, hidden),
                bias(Part.QUERY_BIAS.name(form, layer), queries),
                bias(Part.KEY_BIAS.name(form, layer), keys),
                bias(Part.VALUE_BIAS.name(form, layer), keys),
                norms ? tensors.vector(Part.QUERY_HEAD_NORM.name(form, layer), head) : null,
                norms ? tensors.vector(Part.KEY_HEAD_NORM.name(form, layer), head) : null,
                tensors.matrix(Part.ATTENTION_OUTPUT.name(form, layer), hidden, queries),
                bias(Part.ATTENTION_OUTPUT_BIAS.name(form, layer), hidden));
    }

    private @Nullable StoredTensor bias(String name, int columns) {
        if (form == Form.GGUF) {
            return tensors.optionalVector(name, columns);
        }
        return attentionBias ? tensors.vector(name, columns) : null;
    }

    private TrunkTensors.Latent latent(int layer, AttentionSpec.Latent attention) {
        int hidden = spec.hiddenSize();
        int queries = attention.heads() * (attention.nopeColumns() + attention.ropeColumns());
        int rank = attention.queryRank();
        LatentSplit.Halves halves = split.read(tensors, layer, attention);
        return new TrunkTensors.Latent(
                rank == 0 ? null : tensors.matrix(Part.QUERY_DOWN.name(form, layer), rank, hidden),
                rank == 0 ? null : tensors.vector(Part.QUERY_DOWN_NORM.name(form, layer), rank),
                rank == 0
                        ? tensors.matrix(Part.QUERY.name(form, layer), queries, hidden)
                        : tensors.matrix(Part.QUERY_UP.name(form, layer), queries, rank),
                tensors.matrix(Part.KV_DOWN.name(form, layer), attention.kvRank() + attention.ropeColumns(), hidden),
                tensors.vector(Part.KV_NORM.name(form, layer), attention.kvRank()),
                halves.keyUp(),
                halves.valueUp(),
                tensors.matrix(
                        Part.ATTENTION_OUTPUT.name(form, layer), hidden, attention.heads() * attention.valueColumns()));
    }

    private TrunkTensors.FeedForward feedForward(int layer) {
        int hidden = spec.hiddenSize();
        return switch (spec.layers().get(layer)) {
            case FeedForwardSpec.Dense dense ->
                swiGlu(layer, dense.columns(), Part.GATE_PROJ, Part.UP_PROJ, Part.DOWN_PROJ);
            case FeedForwardSpec.Moe moe -> {
                int experts = moe.gate().experts();
                boolean biased = family.mixture() == Family.Mixture.SIGMOID_GROUPS;
                yield new TrunkTensors.Moe(
                        tensors.floatMatrix(Part.GATE.name(form, layer), experts, hidden),
                        biased ? tensors.vector(Part.GATE_BIAS.name(form, layer), experts) : null,
                        moe.sharedColumns() == 0 ? null : shared(layer, moe.sharedColumns()));
            }
        };
    }

    private TrunkTensors.SwiGlu shared(int layer, int columns) {
        return swiGlu(layer, columns, Part.SHARED_GATE_PROJ, Part.SHARED_UP_PROJ, Part.SHARED_DOWN_PROJ);
    }

    private TrunkTensors.SwiGlu swiGlu(int layer, int columns, Part gate, Part up, Part down) {
        int hidden = spec.hiddenSize();
        return new TrunkTensors.SwiGlu(
                tensors.matrix(gate.name(form, layer), columns, hidden),
                tensors.matrix(up.name(form, layer), columns, hidden),
                tensors.matrix(down.name(form, layer), hidden, columns));
    }
}
