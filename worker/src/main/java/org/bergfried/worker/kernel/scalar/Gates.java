package org.bergfried.worker.kernel.scalar;

import java.util.Arrays;
import org.bergfried.worker.kernel.GateShape;
import org.bergfried.worker.kernel.cpu.HostMatrix;
import org.jspecify.annotations.Nullable;

/// The choice of experts (rule G). At equal scores the lower index wins.
final class Gates {
    private Gates() {}

    /// Turns one row of logits into the scores that are compared and weighed.
    ///
    /// @param score `[experts]`, in place.
    /// @param s     32 floats of working memory.
    static void score(GateShape shape, float[] score, float[] s) {
        switch (shape.scoring()) {
            case SOFTMAX -> Softmax.inPlace(score, shape.experts(), s);
            case SOFTMAX_OF_CHOSEN -> {} // the weights follow when the choice is made
            case SIGMOID -> {
                for (int e = 0; e < shape.experts(); e++) {
                    score[e] = ScalarMath.sigmoid(score[e]);
                }
            }
        }
    }

    /// Marks the experts that may be chosen: those of the best groups.
    ///
    /// @param choice `[experts]`, score plus bias.
    /// @param open   receives `[experts]`, 1 where an expert may be chosen.
    static void openGroups(GateShape shape, float[] choice, int[] open) {
        int perGroup = shape.experts() / shape.groups();
        Arrays.fill(open, 0, shape.experts(), 0);
        for (int n = 0; n < shape.groupsChosen(); n++) {
            int best = -1;
            float bestScore = 0;
            for (int g = 0; g < shape.groups(); g++) {
                float groupScore = groupScore(shape.groupScore(), choice, g * perGroup, (g + 1) * perGroup);
                if (open[g * perGroup] == 0 && (best < 0 || groupScore > bestScore)) {
                    best = g;
                    bestScore = groupScore;
                }
            }
            Arrays.fill(open, best * perGroup, (best + 1) * perGroup, 1);
        }
    }

    private static float groupScore(GateShape.GroupScore kind, float[] choice, int from, int to) {
        float first = Float.NEGATIVE_INFINITY;
        float second = Float.NEGATIVE_INFINITY;
        for (int e = from; e < to; e++) {
            if (choice[e] > first) {
                second = first;
                first = choice[e];
            } else if (choice[e] > second) {
                second = choice[e];
            }
        }
        return switch (kind) {
            case MAXIMUM -> first;
            case BEST_TWO -> first + second;
        };
    }

    /// Adds the bias that only the choice sees.
    static void addBias(GateShape shape, float[] score, @Nullable HostMatrix bias, float[] choice) {
        for (int e = 0; e < shape.experts(); e++) {
            choice[e] = bias == null ? score[e] : score[e] + bias.floatAt(0, e);
        }
    }

    /// Takes the best open expert out of `open` and returns it.
    static int takeBest(GateShape shape, float[] choice, int[] open) {
        int best = -1;
        for (int e = 0; e < shape.experts(); e++) {
            if (open[e] == 1 && (best < 0 || choice[e] > choice[best])) {
                best = e;
            }
        }
        open[best] = 0;
        return best;
    }

    /// Turns the scores of the chosen experts, in the order of choice, into their weights.
    ///
    /// @param chosen `[shape.chosen]`, in place.
    /// @param s      32 floats of working memory.
    static void weigh(GateShape shape, float[] chosen, float[] s) {
        if (shape.scoring() == GateShape.Scoring.SOFTMAX_OF_CHOSEN) {
            Softmax.inPlace(chosen, shape.chosen(), s);
        }
        float sum = chosen[0];
        for (int n = 1; n < shape.chosen(); n++) {
            sum = sum + chosen[n];
        }
        sum = Math.max(sum + shape.sumEpsilon(), shape.sumFloor());
        for (int n = 0; n < shape.chosen(); n++) {
            float normal = shape.normalise() ? chosen[n] / sum : chosen[n];
            chosen[n] = normal * shape.scalingFactor();
        }
    }
}
