package org.bergfried.worker.model;

import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;

/// Everything about a model that changes numbers or shapes, whatever file it came from.
///
/// @param family         Hugging Face's `model_type` or GGUF's `general.architecture`.
/// @param vocabularySize rows of the embedding and of the head.
/// @param hiddenSize     columns of the residual stream.
/// @param contextLength  positions that the model was made for.
/// @param normEpsilon    of every RMSNorm.
/// @param attention      the same in all layers.
/// @param rope           rotary embeddings.
/// @param layers         the feed-forward part of each layer, in order.
/// @param tiedHead       whether the head is the embedding's tensor.
/// @param spans          what the attention of each layer sees, in order.
/// @param multipliers    factors on the residual stream.
public record ModelSpec(
        String family,
        int vocabularySize,
        int hiddenSize,
        int contextLength,
        float normEpsilon,
        AttentionSpec attention,
        RopeSpec rope,
        List<FeedForwardSpec> layers,
        boolean tiedHead,
        List<AttentionSpan> spans,
        Multipliers multipliers) {
    public ModelSpec {
        layers = List.copyOf(layers);
        spans = List.copyOf(spans);
    }

    /// A model of which every layer sees all positions, without multipliers.
    public ModelSpec(
            String family,
            int vocabularySize,
            int hiddenSize,
            int contextLength,
            float normEpsilon,
            AttentionSpec attention,
            RopeSpec rope,
            List<FeedForwardSpec> layers,
            boolean tiedHead) {
        this(
                family,
                vocabularySize,
                hiddenSize,
                contextLength,
                normEpsilon,
                attention,
                rope,
                layers,
                tiedHead,
                Collections.nCopies(layers.size(), AttentionSpan.ALL),
                Multipliers.NONE);
    }

    /// The same with other rotary embeddings.
    ModelSpec withRope(RopeSpec other) {
        return new ModelSpec(
                family,
                vocabularySize,
                hiddenSize,
                contextLength,
                normEpsilon,
                attention,
                other,
                layers,
                tiedHead,
                spans,
                multipliers);
    }

    /// Layers whose feed-forward part is a mixture of experts, in order.
    public int[] moeLayers() {
        return IntStream.range(0, layers.size())
                .filter(layer -> layers.get(layer) instanceof FeedForwardSpec.Moe)
                .toArray();
    }
}
