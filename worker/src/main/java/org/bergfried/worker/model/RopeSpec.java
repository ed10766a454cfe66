package org.bergfried.worker.model;

import java.util.List;

/// Rotary embeddings of a model (ARITHMETIC.md rule G).
///
/// @param columns         rotary columns of a head.
/// @param theta           the base of the frequencies.
/// @param interleaved     true: pairs (2i, 2i+1); false: pairs (i, i + columns / 2).
/// @param scaling         how the frequencies are stretched to longer contexts.
public record RopeSpec(int columns, double theta, boolean interleaved, Scaling scaling) {
    /// How frequencies are stretched.
    public sealed interface Scaling {
        /// Not at all.
        record None() implements Scaling {}

        /// YaRN (Peng et al. 2023), Transformers' formulas.
        ///
        /// @param factor            ratio of the new to the original context.
        /// @param betaFast          rotations above which a frequency stays as it is.
        /// @param betaSlow          rotations below which it is divided by the factor.
        /// @param originalContext   positions of the original model.
        /// @param attentionFactor   multiplies cos and sin.
        /// @param truncate          whether the ramp's ends are rounded to whole dimensions.
        record Yarn(
                double factor,
                double betaFast,
                double betaSlow,
                int originalContext,
                double attentionFactor,
                boolean truncate)
                implements Scaling {}

        /// Llama 3.
        ///
        /// @param factor          divides low frequencies.
        /// @param lowFactor       see Transformers' `low_freq_factor`.
        /// @param highFactor      see Transformers' `high_freq_factor`.
        /// @param originalContext positions of the original model.
        record Llama3(double factor, double lowFactor, double highFactor, int originalContext) implements Scaling {}

        /// Every frequency by a divisor of its own: how a GGUF states what Llama 3 does.
        ///
        /// @param divisors of the pairs, `[columns / 2]`.
        record Divided(List<Float> divisors) implements Scaling {
            public Divided {
                divisors = List.copyOf(divisors);
            }
        }
    }
}
