package org.bergfried.worker.model;

import java.util.ArrayList;
import org.bergfried.worker.model.Part.Form;
import org.bergfried.worker.tensor.StoredTensor;
import org.jspecify.annotations.Nullable;

/// Collects the trunk's tensors by the part that they play.
final class TrunkReader {
    private final TensorFinder tensors;
    private final Form form;
    private final Names names;
    private final Facts facts;
    private final ModelSpec spec;
    private final LatentSplit split;

    TrunkReader(TensorFinder tensors, Facts facts, LatentSplit split) {
        this.tensors = tensors;
        this.form = tensors.form();
        this.names = new Names(form, facts.family());
        this.facts = facts;
        this.spec = facts.spec();
        this.split = split;
    }

    TrunkTensors read() {
        int hidden = spec.hiddenSize();
        StoredTensor embedding = tensors.matrix(names.of(Part.EMBEDDING), spec.vocabularySize(), hidden);
        var layers = new ArrayList<TrunkTensors.Layer>();
        for (int layer = 0; layer < spec.layers().size(); layer++) {
            layers.add(new TrunkTensors.Layer(
                    tensors.vector(names.of(Part.ATTENTION_NORM, layer), hidden),
                    attention(layer),
                    tensors.vector(names.of(Part.FEED_FORWARD_NORM, layer), hidden),
                    feedForward(layer)));
        }
        if (spec.tiedHead()) {
            tensors.ignore(names.of(Part.HEAD));
        }
        StoredTensor head =
                spec.tiedHead() ? embedding : tensors.matrix(names.of(Part.HEAD), spec.vocabularySize(), hidden);
        return new TrunkTensors(embedding, layers, tensors.vector(names.of(Part.OUTPUT_NORM), hidden), head);
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
        boolean whole = facts.family().norms() == Family.Norms.WHOLE;
        return new TrunkTensors.Grouped(
                tensors.matrix(names.of(Part.QUERY, layer), queries, hidden),
                tensors.matrix(names.of(Part.KEY, layer), keys, hidden),
                tensors.matrix(names.of(Part.VALUE, layer), keys, hidden),
                bias(facts.inputBias(), names.of(Part.QUERY_BIAS, layer), queries),
                bias(facts.inputBias(), names.of(Part.KEY_BIAS, layer), keys),
                bias(facts.inputBias(), names.of(Part.VALUE_BIAS, layer), keys),
                norm(Part.QUERY_HEAD_NORM, layer, whole ? queries : head),
                norm(Part.KEY_HEAD_NORM, layer, whole ? keys : head),
                tensors.matrix(names.of(Part.ATTENTION_OUTPUT, layer), hidden, queries),
                bias(facts.outputBias(), names.of(Part.ATTENTION_OUTPUT_BIAS, layer), hidden),
                facts.family().sinks() ? tensors.vector(names.of(Part.SINKS, layer), attention.heads()) : null);
    }

    private @Nullable StoredTensor norm(Part part, int layer, int columns) {
        return facts.norms() ? tensors.vector(names.of(part, layer), columns) : null;
    }

    private @Nullable StoredTensor bias(boolean stated, String name, int columns) {
        if (form == Form.GGUF) {
            return tensors.optionalVector(name, columns);
        }
        return stated ? tensors.vector(name, columns) : null;
    }

    private TrunkTensors.Latent latent(int layer, AttentionSpec.Latent attention) {
        int hidden = spec.hiddenSize();
        int queries = attention.heads() * (attention.nopeColumns() + attention.ropeColumns());
        int rank = attention.queryRank();
        LatentSplit.Halves halves = split.read(tensors, layer, attention);
        return new TrunkTensors.Latent(
                rank == 0 ? null : tensors.matrix(names.of(Part.QUERY_DOWN, layer), rank, hidden),
                rank == 0 ? null : tensors.vector(names.of(Part.QUERY_DOWN_NORM, layer), rank),
                rank == 0
                        ? tensors.matrix(names.of(Part.QUERY, layer), queries, hidden)
                        : tensors.matrix(names.of(Part.QUERY_UP, layer), queries, rank),
                tensors.matrix(names.of(Part.KV_DOWN, layer), attention.kvRank() + attention.ropeColumns(), hidden),
                tensors.vector(names.of(Part.KV_NORM, layer), attention.kvRank()),
                halves.keyUp(),
                halves.valueUp(),
                tensors.matrix(
                        names.of(Part.ATTENTION_OUTPUT, layer), hidden, attention.heads() * attention.valueColumns()));
    }

    private TrunkTensors.FeedForward feedForward(int layer) {
        return switch (spec.layers().get(layer)) {
            case FeedForwardSpec.Dense dense ->
                swiGlu(layer, dense.columns(), Part.GATE_PROJ, Part.UP_PROJ, Part.DOWN_PROJ);
            case FeedForwardSpec.Moe moe -> mixture(layer, moe);
        };
    }

    private TrunkTensors.Moe mixture(int layer, FeedForwardSpec.Moe moe) {
        int experts = moe.gate().experts();
        Family family = facts.family();
        boolean turns = family.experts() == Family.Experts.TURNS;
        boolean gated = family.shared() == Family.Shared.GATED;
        return new TrunkTensors.Moe(
                tensors.floatMatrix(names.of(Part.GATE, layer), experts, spec.hiddenSize()),
                turns ? tensors.vector(names.of(Part.GATE_LOGIT_BIAS, layer), experts) : null,
                family.mixture().biased ? tensors.vector(names.of(Part.GATE_BIAS, layer), experts) : null,
                moe.sharedColumns() == 0 ? null : shared(layer, moe.sharedColumns()),
                gated ? tensors.vector(names.of(Part.SHARED_GATE, layer), spec.hiddenSize()) : null);
    }

    private TrunkTensors.SwiGlu shared(int layer, int columns) {
        return swiGlu(layer, columns, Part.SHARED_GATE_PROJ, Part.SHARED_UP_PROJ, Part.SHARED_DOWN_PROJ);
    }

    private TrunkTensors.SwiGlu swiGlu(int layer, int columns, Part gate, Part up, Part down) {
        int hidden = spec.hiddenSize();
        return new TrunkTensors.SwiGlu(
                tensors.matrix(names.of(gate, layer), columns, hidden),
                tensors.matrix(names.of(up, layer), columns, hidden),
                tensors.matrix(names.of(down, layer), hidden, columns));
    }
}
