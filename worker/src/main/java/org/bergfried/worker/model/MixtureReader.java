package org.bergfried.worker.model;

import java.util.HashSet;
import java.util.Set;
import org.bergfried.contract.Limits;
import org.bergfried.worker.kernel.GateShape;
import org.bergfried.worker.kernel.GateShape.GroupScore;
import org.bergfried.worker.kernel.GateShape.Scoring;
import tools.jackson.databind.JsonNode;

/// Reads which layers are mixtures of experts, and what a mixture is.
final class MixtureReader {
    private static final int COLUMNS_MAX = 1 << 20;
    private static final int SHARED_MAX = 64;
    /// What DeepSeek-V3 adds to the sum of the chosen weights (ARITHMETIC.md rule G, "Gates").
    private static final float SUM_EPSILON = 1e-20f;

    private final Family family;
    private final Config config;
    private final int firstMixture;
    private final int mixtureEvery;
    private final Set<Integer> denseLayers;

    MixtureReader(Family family, Config config) {
        this.family = family;
        this.config = config;
        boolean deepseek =
                family.mixture() == Family.Mixture.SOFTMAX_GROUPS || family.mixture() == Family.Mixture.SIGMOID_GROUPS;
        boolean softmax = family.mixture() == Family.Mixture.SOFTMAX;
        firstMixture = deepseek ? config.countOrZero("first_k_dense_replace", Integer.MAX_VALUE, 0) : 0;
        mixtureEvery = deepseek
                ? config.count("moe_layer_freq", Limits.MOE_LAYERS, 1)
                : softmax ? config.count("decoder_sparse_step", Limits.MOE_LAYERS, 1) : 1;
        denseLayers = softmax ? layerSet("mlp_only_layers") : Set.of();
    }

    /// Whether a layer's feed-forward part is a mixture.
    boolean isMixture(int layer) {
        return switch (family.mixture()) {
            case NONE -> false;
            case SOFTMAX -> (layer + 1) % mixtureEvery == 0 && !denseLayers.contains(layer);
            case SOFTMAX_GROUPS, SIGMOID_GROUPS -> layer >= firstMixture && layer % mixtureEvery == 0;
        };
    }

    /// The mixture, the same in all layers that are one.
    FeedForwardSpec.Moe mixture() {
        int expertColumns = config.count("moe_intermediate_size", COLUMNS_MAX);
        int shared =
                family.mixture() == Family.Mixture.SOFTMAX ? 0 : config.countOrZero("n_shared_experts", SHARED_MAX, 0);
        return new FeedForwardSpec.Moe(gate(), expertColumns, shared * expertColumns);
    }

    private GateShape gate() {
        return switch (family.mixture()) {
            case NONE -> throw new IllegalStateException("a dense family has no gate");
            case SOFTMAX -> softmax();
            case SOFTMAX_GROUPS -> softmaxGroups();
            case SIGMOID_GROUPS -> sigmoidGroups();
        };
    }

    private GateShape softmax() {
        config.value("num_local_experts");
        int experts =
                config.count(config.has("num_experts") ? "num_experts" : "num_local_experts", Limits.EXPERTS_PER_LAYER);
        boolean normalise = config.flag("norm_topk_prob", false);
        return checked(
                new GateShape(Scoring.SOFTMAX, experts, chosen(experts), 1, 1, GroupScore.MAXIMUM, normalise, 0f, 1f));
    }

    private GateShape softmaxGroups() {
        config.onlyWord("scoring_func", "softmax");
        config.onlyFlag("norm_topk_prob", false);
        int experts = config.count("n_routed_experts", Limits.EXPERTS_PER_LAYER);
        int groups = config.count("n_group", experts, 1);
        int groupsChosen = config.count("topk_group", groups, 1);
        float factor = (float) config.number("routed_scaling_factor", 1.0);
        boolean limited = switch (config.word("topk_method", "greedy")) {
            case "greedy" -> false;
            case "group_limited_greedy" -> true;
            default -> throw config.refuse("topk_method", "understood are greedy and group_limited_greedy");
        };
        return checked(new GateShape(
                Scoring.SOFTMAX,
                experts,
                chosen(experts),
                limited ? groups : 1,
                limited ? groupsChosen : 1,
                GroupScore.MAXIMUM,
                false,
                0f,
                factor));
    }

    private GateShape sigmoidGroups() {
        config.onlyWord("scoring_func", "sigmoid");
        config.onlyWord("topk_method", "noaux_tc");
        int experts = config.count("n_routed_experts", Limits.EXPERTS_PER_LAYER);
        int groups = config.count("n_group", experts, 1);
        boolean normalise = config.flag("norm_topk_prob", true);
        return checked(new GateShape(
                Scoring.SIGMOID,
                experts,
                chosen(experts),
                groups,
                config.count("topk_group", groups, 1),
                GroupScore.BEST_TWO,
                normalise,
                normalise ? SUM_EPSILON : 0f,
                (float) config.number("routed_scaling_factor")));
    }

    private int chosen(int experts) {
        return config.count("num_experts_per_tok", Math.min(experts, Limits.EXPERTS_PER_TOKEN));
    }

    private GateShape checked(GateShape gate) {
        if (gate.experts() % gate.groups() != 0) {
            throw config.refuse("n_group", "must divide the " + gate.experts() + " experts");
        }
        int groupSize = gate.experts() / gate.groups();
        if (gate.groups() > 1 && gate.groupScore() == GroupScore.BEST_TWO && groupSize < 2) {
            throw config.refuse("n_group", "must leave at least two experts in a group");
        }
        if (gate.chosen() > groupSize * gate.groupsChosen()) {
            throw config.refuse(
                    "num_experts_per_tok",
                    "must be at most the " + groupSize * gate.groupsChosen() + " experts of the chosen groups");
        }
        return gate;
    }

    private Set<Integer> layerSet(String field) {
        JsonNode value = config.value(field);
        var layers = new HashSet<Integer>();
        if (value != null) {
            for (JsonNode layer : value) {
                if (!layer.isIntegralNumber() || !layer.canConvertToInt()) {
                    throw config.refuse(field, "must be a list of layers");
                }
                layers.add(layer.intValue());
            }
        }
        return layers;
    }
}
