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
/// @param sumFloor       the least that is divided by (ernie4_5_moe); 0 without.
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
        float sumFloor,
        float scalingFactor) {
    /// A gate whose sum of weights is divided by however small it is.
    public GateShape(
            Scoring scoring,
            int experts,
            int chosen,
            int groups,
            int groupsChosen,
            GroupScore groupScore,
            boolean normalise,
            float sumEpsilon,
            float scalingFactor) {
        this(scoring, experts, chosen, groups, groupsChosen, groupScore, normalise, sumEpsilon, 0f, scalingFactor);
    }

    /// What is compared and weighed.
    public enum Scoring {
        /// Softmax over all experts; the choice is by probability + bias, the weight is the probability alone.
        SOFTMAX,
        /// The choice is by logit, the weights are the softmax over the logits of the chosen, in the order of choice.
        SOFTMAX_OF_CHOSEN,
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
