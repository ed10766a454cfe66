package org.bergfried.worker.model;

import java.util.Set;
import org.bergfried.worker.model.RopeSpec.Scaling;
import org.jspecify.annotations.Nullable;

/// Reads rotary embeddings: `rope_parameters` (rope_theta inside), or `rope_theta` and `rope_scaling` of older files.
///
/// @param theta    the base.
/// @param scaling  how frequencies are stretched.
/// @param keyScale `m` of the attention's scale m^2 / sqrt(dqk); 1 without `mscale_all_dim`.
/// @param part     the share of a head's columns that turns.
record RopeReader(double theta, Scaling scaling, double keyScale, double part) {
    /// The field in which a GGUF states 0.1 * mscale_all_dim.
    static final String LOG_MULTIPLIER = "yarn_log_multiplier";

    private static final double THETA = 10000; // the default of every family here
    private static final int CONTEXT_MAX = Integer.MAX_VALUE;

    static RopeReader read(Config config, int contextLength) {
        double outerTheta = config.number("rope_theta", THETA);
        double outerPart = config.number("partial_rotary_factor", 1);
        Config inner = config.nested("rope_parameters");
        Config older = config.nested("rope_scaling");
        if (inner != null && older != null) {
            throw config.refuse("rope_scaling", "stands beside rope_parameters; only one of them is understood");
        }
        Config rope = inner != null ? inner : older;
        if (rope == null) {
            return new RopeReader(outerTheta, new Scaling.None(), 1, outerPart);
        }
        double part = rope.number("partial_rotary_factor", outerPart);
        RopeReader result = scaled(rope, rope.number("rope_theta", outerTheta), part, contextLength);
        rope.refuseUnread(Set.of("type", "rope_type"));
        return result;
    }

    private static RopeReader scaled(Config rope, double theta, double part, int contextLength) {
        String type = rope.word("rope_type", rope.word("type", "default"));
        return switch (type) {
            case "default" -> new RopeReader(theta, new Scaling.None(), 1, part);
            case "llama3" -> new RopeReader(theta, llama3(rope, contextLength), 1, part);
            case "yarn" -> yarn(rope, theta, part, contextLength);
            default ->
                throw rope.refuse(
                        rope.has("rope_type") ? "rope_type" : "type", "understood are default, yarn and llama3");
        };
    }

    private static Scaling llama3(Config rope, int contextLength) {
        double low = rope.number("low_freq_factor");
        double high = rope.number("high_freq_factor");
        if (high <= low) {
            throw rope.refuse("high_freq_factor", "must be more than low_freq_factor = " + low);
        }
        int original = rope.count("original_max_position_embeddings", CONTEXT_MAX, contextLength);
        return new Scaling.Llama3(rope.number("factor"), low, high, original);
    }

    private static RopeReader yarn(Config rope, double theta, double part, int contextLength) {
        int original = rope.count("original_max_position_embeddings", CONTEXT_MAX, contextLength);
        double factor = rope.number("factor", (double) contextLength / original);
        // Both are 0.1 times what multiplies the logarithm; GGUF states the product.
        Double mscale = tenth(rope, "mscale");
        Double mscaleAll = tenth(rope, "mscale_all_dim");
        if (rope.has(LOG_MULTIPLIER)) {
            mscaleAll = rope.number(LOG_MULTIPLIER);
            mscale = mscaleAll;
        }
        double attentionFactor = mscale != null && mscaleAll != null
                ? magnitude(factor, mscale) / magnitude(factor, mscaleAll)
                : magnitude(factor, 0.1);
        var scaling = new Scaling.Yarn(
                factor,
                rope.number("beta_fast", 32),
                rope.number("beta_slow", 1),
                original,
                rope.number("attention_factor", attentionFactor),
                rope.flag("truncate", true));
        return new RopeReader(theta, scaling, mscaleAll == null ? 1 : magnitude(factor, mscaleAll), part);
    }

    private static @Nullable Double tenth(Config rope, String field) {
        if (!rope.has(field) || rope.is(field, 0)) {
            return null; // Transformers takes 0 for absent
        }
        return 0.1 * rope.number(field);
    }

    private static double magnitude(double factor, double logMultiplier) {
        return factor <= 1 ? 1 : logMultiplier * StrictMath.log(factor) + 1;
    }
}
