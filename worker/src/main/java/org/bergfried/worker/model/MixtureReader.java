package org.bergfried.worker.model;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.bergfried.contract.Limits;
import org.bergfried.worker.kernel.Activation;
import org.bergfried.worker.kernel.GateShape;
import org.bergfried.worker.kernel.GateShape.GroupScore;
import org.bergfried.worker.kernel.GateShape.Scoring;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// Reads which layers are mixtures of experts, and what a mixture is.
final class MixtureReader {
    private static final int COLUMNS_MAX = 1 << 20;
    private static final int SHARED_MAX = 64;
    private static final List<String> EXPERT_FIELDS = List.of("n_routed_experts", "num_experts", "num_local_experts");
    /// gpt-oss's constants.
    private static final float CLAMPED_ALPHA = 1.702f;

    private static final double CLAMPED_LIMIT = 7;
    /// What Ernie 4.5 divides by at least.
    private static final double NORM_MIN = 1e-12;
    /// What DeepSeek-V3 adds to the sum of the chosen weights (ARITHMETIC.md rule G, "Gates").
    private static final float SUM_EPSILON = 1e-20f;

    private final Family family;
    private final Config config;
    private final @Nullable List<String> kinds; // of each layer, where the file states them

    MixtureReader(Family family, Config config) {
        this.family = family;
        this.config = config;
        kinds = family.mixture() == Family.Mixture.NONE ? null : config.words("mlp_layer_types");
    }

    /// Whether a layer's feed-forward part is a mixture.
    boolean isMixture(int layer) {
        boolean usual = switch (family.mixture().layers) {
            case NONE -> false;
            case ALL -> true;
            case STEPS ->
                (layer + 1) % config.count("decoder_sparse_step", Limits.MOE_LAYERS, 1) == 0
                        && !layerSet("mlp_only_layers").contains(layer);
            case AFTER_FIRST ->
                layer >= config.countOrZero("first_k_dense_replace", Integer.MAX_VALUE, 0)
                        && layer % config.count("moe_layer_freq", Limits.MOE_LAYERS, 1) == 0;
            case RANGE -> inRange(layer);
        };
        return kinds == null ? usual : stated(kinds, layer);
    }

    private boolean stated(List<String> kindsOfLayers, int layer) {
        String kind = layer < kindsOfLayers.size() ? kindsOfLayers.get(layer) : "missing";
        return switch (kind) {
            case "sparse" -> true;
            case "dense" -> false;
            default -> throw config.refuse("mlp_layer_types", "must say dense or sparse of each layer");
        };
    }

    private boolean inRange(int layer) {
        int last = config.is("moe_layer_end_index", -1)
                ? Limits.MOE_LAYERS
                : config.countOrZero("moe_layer_end_index", Limits.MOE_LAYERS, Limits.MOE_LAYERS);
        return layer >= config.countOrZero("moe_layer_start_index", Limits.MOE_LAYERS, 0)
                && layer <= last
                && (layer + 1) % config.count("moe_layer_interval", Limits.MOE_LAYERS, 1) == 0;
    }

    /// The mixture, the same in all layers that are one.
    FeedForwardSpec.Moe mixture() {
        int columns = config.count("moe_intermediate_size", COLUMNS_MAX);
        int shared = switch (family.shared()) {
            case NONE -> 0;
            case COUNTED -> columns * config.countOrZero("n_shared_experts", SHARED_MAX, 0);
            case ONE -> columns;
            case GATED -> config.count("shared_expert_intermediate_size", COLUMNS_MAX);
        };
        Activation activation = family.experts() == Family.Experts.TURNS
                ? new Activation.ClampedSwiGlu(CLAMPED_ALPHA, (float) config.number("swiglu_limit", CLAMPED_LIMIT))
                : new Activation.SwiGlu();
        return new FeedForwardSpec.Moe(gate(), columns, shared, activation);
    }

    private GateShape gate() {
        return switch (family.mixture()) {
            case NONE -> throw new IllegalStateException("a dense family has no gate");
            case SOFTMAX -> plain(Scoring.SOFTMAX, config.flag("norm_topk_prob", false), 0f);
            case SOFTMAX_NORMALISED -> {
                config.onlyFlag("norm_topk_prob", true);
                yield plain(Scoring.SOFTMAX, true, 0f);
            }
            case SOFTMAX_OF_CHOSEN -> plain(Scoring.SOFTMAX_OF_CHOSEN, false, 0f);
            case SOFTMAX_BIASED -> plain(Scoring.SOFTMAX, true, (float) config.number("moe_norm_min", NORM_MIN));
            case SOFTMAX_GROUPS -> softmaxGroups();
            case SIGMOID_GROUPS -> sigmoidGroups();
            case SIGMOID -> {
                config.onlyWord("scoring_func", "sigmoid");
                yield plain(Scoring.SIGMOID, true, 0f);
            }
        };
    }

    private GateShape plain(Scoring scoring, boolean normalise, float sumFloor) {
        int experts = experts();
        return checked(new GateShape(
                scoring, experts, chosen(experts), 1, 1, GroupScore.MAXIMUM, normalise, 0f, sumFloor, 1f));
    }

    /// Three names of one field; files that have several say the same with them.
    private int experts() {
        String known = EXPERT_FIELDS.stream().filter(config::has).findFirst().orElse(EXPERT_FIELDS.getFirst());
        int experts = config.count(known, Limits.EXPERTS_PER_LAYER);
        for (String field : EXPERT_FIELDS) {
            if (config.count(field, Limits.EXPERTS_PER_LAYER, experts) != experts) {
                throw config.refuse(field, "must be " + known + " = " + experts);
            }
        }
        return experts;
    }

    private GateShape softmaxGroups() {
        config.onlyWord("scoring_func", "softmax");
        config.onlyFlag("norm_topk_prob", false);
        int experts = experts();
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
        int experts = experts();
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
        int chosen = config.count("num_experts_per_tok", Math.min(experts, Limits.EXPERTS_PER_TOKEN));
        if (config.count("experts_per_token", Limits.EXPERTS_PER_TOKEN, chosen) != chosen) {
            throw config.refuse("experts_per_token", "must be num_experts_per_tok = " + chosen);
        }
        return chosen;
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
