package org.bergfried.worker.kernel;

/// How a gate turns its logits into experts and weights (ARITHMETIC.md rule G).
///
/// @param scoring        what is compared and weighed.
/// @param experts        routed experts of the layer.
/// @param chosen         experts of a token.
/// @param groups         groups of equal size that the experts form; 1 without group limits.
/// @param groupsChosen   groups that a token may choose from.
/// @param groupScore     how a group is scored.
/// @param normalise      whether the weights are divided by their sum.
/// @param sumEpsilon     added to that sum before dividing (1e-20f for deepseek_v3, 0 otherwise).
/// @param scalingFactor  multiplies each weight at the end; 1 leaves the bits alone.
public record GateShape(
        Scoring scoring,
        int experts,
        int chosen,
        int groups,
        int groupsChosen,
        GroupScore groupScore,
        boolean normalise,
        float sumEpsilon,
        float scalingFactor) {
    /// What is compared and weighed.
    public enum Scoring {
        /// Softmax over all experts; choice and weight are the probability.
        SOFTMAX,
        /// Sigmoid; the choice is by score + bias, the weight is the score alone.
        SIGMOID
    }

    /// How a group is scored.
    public enum GroupScore {
        /// Its largest score (DeepSeek-V2).
        MAXIMUM,
        /// The sum of its best two, larger + smaller (DeepSeek-V3).
        BEST_TWO
    }
}
