package org.bergfried.worker.model;

import java.util.ArrayList;
import java.util.List;
import org.bergfried.worker.tensor.StoredTensor;
import org.jspecify.annotations.Nullable;

/// The tensors of a trunk by the part that they play. Shapes are `[outputs, inputs]`; a norm or bias is `[columns]`.
///
/// @param embedding  `[vocabularySize, hiddenSize]`.
/// @param layers     in order.
/// @param outputNorm `[hiddenSize]`.
/// @param head       `[vocabularySize, hiddenSize]`; the embedding's tensor itself where it is tied.
public record TrunkTensors(StoredTensor embedding, List<Layer> layers, StoredTensor outputNorm, StoredTensor head) {
    public TrunkTensors {
        layers = List.copyOf(layers);
    }

    /// All of them, each once.
    public List<StoredTensor> tensors() {
        var all = new ArrayList<StoredTensor>();
        all.add(embedding);
        for (Layer layer : layers) {
            all.add(layer.attentionNorm);
            all.addAll(layer.attention.tensors());
            all.add(layer.feedForwardNorm);
            all.addAll(layer.feedForward.tensors());
        }
        all.add(outputNorm);
        if (!head.name().equals(embedding.name())) {
            all.add(head);
        }
        return all;
    }

    private static List<StoredTensor> present(@Nullable StoredTensor... tensors) {
        var present = new ArrayList<StoredTensor>();
        for (StoredTensor tensor : tensors) {
            if (tensor != null) {
                present.add(tensor);
            }
        }
        return present;
    }

    /// One layer.
    ///
    /// @param attentionNorm   `[hiddenSize]`, before the attention.
    /// @param attention       its matrices.
    /// @param feedForwardNorm `[hiddenSize]`, before the feed-forward part.
    /// @param feedForward     its matrices that live on the trunk.
    public record Layer(
            StoredTensor attentionNorm, Attention attention, StoredTensor feedForwardNorm, FeedForward feedForward) {}

    /// Matrices of the attention.
    public sealed interface Attention {
        /// All of them.
        List<StoredTensor> tensors();
    }

    /// Grouped-query attention.
    ///
    /// @param query     `[heads * headColumns, hiddenSize]`.
    /// @param key       `[kvHeads * headColumns, hiddenSize]`.
    /// @param value     `[kvHeads * headColumns, hiddenSize]`.
    /// @param queryBias `[heads * headColumns]` or null; likewise the next two.
    /// @param queryNorm `[headColumns]`, RMSNorm of each query head, or `[heads * headColumns]`, of all together;
    ///     or null.
    /// @param keyNorm   `[headColumns]` or `[kvHeads * headColumns]` or null.
    /// @param output    `[hiddenSize, heads * headColumns]`.
    /// @param outputBias `[hiddenSize]` or null.
    /// @param sinks     `[heads]`, a logit that each head's softmax sums, or null.
    public record Grouped(
            StoredTensor query,
            StoredTensor key,
            StoredTensor value,
            @Nullable StoredTensor queryBias,
            @Nullable StoredTensor keyBias,
            @Nullable StoredTensor valueBias,
            @Nullable StoredTensor queryNorm,
            @Nullable StoredTensor keyNorm,
            StoredTensor output,
            @Nullable StoredTensor outputBias,
            @Nullable StoredTensor sinks)
            implements Attention {
        @Override
        public List<StoredTensor> tensors() {
            return present(
                    query, key, value, queryBias, keyBias, valueBias, queryNorm, keyNorm, output, outputBias, sinks);
        }
    }

    /// Multi-head latent attention, with kv_b split per head.
    ///
    /// @param queryDown `[queryRank, hiddenSize]`, or null: then `queryUp` reads the hidden state.
    /// @param queryNorm `[queryRank]`, null with it.
    /// @param queryUp   `[heads * (nopeColumns + ropeColumns), queryRank or hiddenSize]`.
    /// @param kvDown    `[kvRank + ropeColumns, hiddenSize]`.
    /// @param kvNorm    `[kvRank]`.
    /// @param keyUp     per head `[kvRank, nopeColumns]`: the transposed K half of kv_b.
    /// @param valueUp   per head `[valueColumns, kvRank]`: the V half of kv_b.
    /// @param output    `[hiddenSize, heads * valueColumns]`.
    public record Latent(
            @Nullable StoredTensor queryDown,
            @Nullable StoredTensor queryNorm,
            StoredTensor queryUp,
            StoredTensor kvDown,
            StoredTensor kvNorm,
            List<StoredTensor> keyUp,
            List<StoredTensor> valueUp,
            StoredTensor output)
            implements Attention {
        @Override
        public List<StoredTensor> tensors() {
            List<StoredTensor> all = present(queryDown, queryNorm, queryUp, kvDown, kvNorm, output);
            all.addAll(keyUp);
            all.addAll(valueUp);
            return all;
        }
    }

    /// Matrices of the feed-forward part that live on the trunk.
    public sealed interface FeedForward {
        /// All of them.
        List<StoredTensor> tensors();
    }

    /// A SwiGLU; also the shape of every expert.
    ///
    /// @param gateProj `[columns, hiddenSize]`.
    /// @param upProj   `[columns, hiddenSize]`.
    /// @param downProj `[hiddenSize, columns]`.
    /// @param biases   of the three or null.
    public record SwiGlu(
            StoredTensor gateProj,
            StoredTensor upProj,
            StoredTensor downProj,
            @Nullable Biases biases) implements FeedForward {
        /// One without biases.
        public SwiGlu(StoredTensor gateProj, StoredTensor upProj, StoredTensor downProj) {
            this(gateProj, upProj, downProj, null);
        }

        @Override
        public List<StoredTensor> tensors() {
            return biases == null
                    ? List.of(gateProj, upProj, downProj)
                    : List.of(gateProj, upProj, downProj, biases.gate, biases.up, biases.down);
        }
    }

    /// Biases of a SwiGLU, added after the products.
    ///
    /// @param gate `[columns]`.
    /// @param up   `[columns]`.
    /// @param down `[hiddenSize]`.
    public record Biases(StoredTensor gate, StoredTensor up, StoredTensor down) {}

    /// The trunk's part of a mixture of experts.
    ///
    /// @param gate       `[experts, hiddenSize]`, float.
    /// @param logitBias  `[experts]`, float, added to logits, or null.
    /// @param bias       `[experts]`, float, added to scores for the choice only, or null.
    /// @param shared     the shared expert or null.
    /// @param sharedGate `[1, hiddenSize]`, float: the sigmoid of its product weighs the shared expert; or null.
    public record Moe(
            StoredTensor gate,
            @Nullable StoredTensor logitBias,
            @Nullable StoredTensor bias,
            @Nullable SwiGlu shared,
            @Nullable StoredTensor sharedGate)
            implements FeedForward {
        @Override
        public List<StoredTensor> tensors() {
            List<StoredTensor> all = present(gate, logitBias, bias, sharedGate);
            if (shared != null) {
                all.addAll(shared.tensors());
            }
            return all;
        }
    }
}
