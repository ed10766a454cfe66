package org.bergfried.worker.model;

import static java.util.Map.entry;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.Limits;
import org.bergfried.worker.weights.JsonTexts;
import org.bergfried.worker.weights.Refusals;
import org.bergfried.worker.weights.TensorEntry;
import org.bergfried.worker.weights.gguf.GgufFiles;
import org.bergfried.worker.weights.gguf.GgufValue;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// Says a GGUF's metadata in the fields of config.json, so that one reader understands both. A field of the
/// architecture that it cannot say is refused by name.
final class GgufConfig {
    /// Fields that only need another name. Those of `rope.scaling.` go into `rope_parameters`.
    private static final Map<String, String> RENAMED = Map.ofEntries(
            entry("vocab_size", "vocab_size"),
            entry("context_length", "max_position_embeddings"),
            entry("embedding_length", "hidden_size"),
            entry("feed_forward_length", "intermediate_size"),
            entry("attention.head_count", "num_attention_heads"),
            entry("attention.head_count_kv", "num_key_value_heads"),
            entry("attention.layer_norm_rms_epsilon", "rms_norm_eps"),
            entry("attention.q_lora_rank", "q_lora_rank"),
            entry("attention.kv_lora_rank", "kv_lora_rank"),
            entry("attention.key_length_mla", "qk_head_dim"),
            entry("attention.value_length_mla", "v_head_dim"),
            entry("rope.freq_base", "rope_theta"),
            entry("rope.scaling.type", "rope_type"),
            entry("rope.scaling.factor", "factor"),
            entry("rope.scaling.original_context_length", "original_max_position_embeddings"),
            entry("rope.scaling.yarn_log_multiplier", RopeReader.LOG_MULTIPLIER),
            entry("rope.scaling.yarn_beta_fast", "beta_fast"),
            entry("rope.scaling.yarn_beta_slow", "beta_slow"),
            entry("leading_dense_block_count", "first_k_dense_replace"),
            entry("expert_count", "n_routed_experts"),
            entry("expert_used_count", "num_experts_per_tok"),
            entry("expert_feed_forward_length", "moe_intermediate_size"),
            entry("expert_shared_count", "n_shared_experts"),
            entry("expert_shared_feed_forward_length", "shared_expert_intermediate_size"),
            entry("expert_group_count", "n_group"),
            entry("expert_group_used_count", "topk_group"),
            entry("expert_weights_scale", "routed_scaling_factor"),
            entry("expert_weights_norm", "norm_topk_prob"),
            entry("attention.scale", "attention_multiplier"),
            entry("embedding_scale", "embedding_multiplier"),
            entry("residual_scale", "residual_multiplier"),
            entry("logit_scale", "logits_scaling"));

    /// Fields that change no number: the widths of latent attention's cache and how the file came to be.
    private static final Set<String> HARMLESS =
            Set.of("rope.scaling.finetuned", "tensor_data_layout", "attention.key_length", "attention.value_length");

    private static final int COUNT_MAX = 1 << 20;
    private static final String SCALING = "rope.scaling.";
    private static final String PATTERN = "attention.sliding_window_pattern";

    // GGUF's numbers of what turns a gate's logits into scores.
    private static final int SOFTMAX_SCORES = 1;
    private static final int SIGMOID_SCORES = 2;
    private static final int CHOSEN_SOFTMAX_SCORES = 3;

    private final GgufFiles file;
    private final GgufArchitecture architecture;
    private final String prefix;
    private final ObjectNode fields = JsonTexts.object();
    private final ObjectNode scaling = JsonTexts.object();
    private final Map<String, String> spelled = new HashMap<>();
    private final Set<String> said = new HashSet<>();

    private GgufConfig(GgufFiles file, GgufArchitecture architecture) {
        this.file = file;
        this.architecture = architecture;
        this.prefix = architecture.spelled() + ".";
    }

    /// A GGUF's configuration.
    ///
    /// @param architecture GGUF's name of it.
    /// @param family       the row of the table.
    /// @param config       the fields.
    record Said(String architecture, Family family, Config config) {}

    static Said read(GgufFiles file) {
        String name =
                file.metadata().get("general.architecture") instanceof GgufValue.Text text ? text.shown() : "(none)";
        GgufArchitecture architecture = GgufArchitecture.named(name);
        if (architecture == null) {
            throw Refusals.unsupported(
                    file.path(),
                    "general.architecture = " + Refusals.shown(name) + " is not understood; understood are "
                            + String.join(", ", GgufArchitecture.names()));
        }
        return new GgufConfig(file, architecture).read();
    }

    private Said read() {
        String modelType = modelType();
        Family family = Families.named(file.path(), modelType);
        requireGating(family);
        rename();
        sayLayers();
        if (family.attention() == Family.Attention.LATENT) {
            sayLatentHeads();
        } else {
            sayGroupedHeads(family);
        }
        if (family.mixture() != Family.Mixture.NONE) {
            sayMixture(family);
        }
        sayWindows(family);
        sayTheRest();
        refuseUnsaid();
        return new Said(architecture.spelled(), family, new Config(file.path(), fields, spelled));
    }

    private String modelType() {
        if (architecture == GgufArchitecture.DEEPSEEK2 && gating() == SIGMOID_SCORES) {
            return "deepseek_v3";
        }
        boolean mixtral = architecture == GgufArchitecture.LLAMA && whole("expert_count", 0) > 0;
        return mixtral ? Families.LLAMA_MOE : architecture.modelType();
    }

    private int gating() {
        return whole("expert_gating_func", 0);
    }

    /// Absent, it is the one that the family has.
    private void requireGating(Family family) {
        int stated = gating();
        boolean understood = switch (family.mixture()) {
            case NONE -> stated == 0;
            case SIGMOID_GROUPS, SIGMOID -> stated == 0 || stated == SIGMOID_SCORES;
            // Softmax over all and then a sum of 1 is the softmax over those that were chosen.
            case SOFTMAX_OF_CHOSEN -> stated == 0 || stated == SOFTMAX_SCORES || stated == CHOSEN_SOFTMAX_SCORES;
            case SOFTMAX, SOFTMAX_NORMALISED, SOFTMAX_BIASED, SOFTMAX_GROUPS -> stated == 0 || stated == SOFTMAX_SCORES;
        };
        if (!understood) {
            throw refuse(
                    "expert_gating_func",
                    "understood are 1 (softmax) and 2 (sigmoid), each in architectures that choose so");
        }
    }

    private void rename() {
        RENAMED.forEach((ggufName, field) -> {
            GgufValue value = file.metadata().get(prefix + ggufName);
            if (value != null) {
                put(ggufName.startsWith(SCALING) ? scaling : fields, field, ggufName, value);
            }
        });
    }

    private void put(ObjectNode target, String field, String ggufName, GgufValue value) {
        said.add(ggufName);
        spelled.put(field, prefix + ggufName);
        switch (value) {
            case GgufValue.Whole(long number) -> target.put(field, number);
            case GgufValue.Real(double number) -> target.put(field, number);
            case GgufValue.Flag(boolean flag) -> target.put(field, flag);
            case GgufValue.Text text -> target.put(field, text.shown());
            case GgufValue.Texts texts -> throw refuse(ggufName, "must be a single value, not " + texts.shown());
            case GgufValue.Words words -> throw refuse(ggufName, "must be a single value, not " + words.shown());
            case GgufValue.Flags flags -> throw refuse(ggufName, "must be a single value, not " + flags.shown());
            case GgufValue.Other other -> throw refuse(ggufName, "must be a single value, not " + other.shown());
        }
    }

    /// The last blocks may be for multi-token prediction, which this engine does not run.
    private void sayLayers() {
        fields.put("num_hidden_layers", whole("block_count", 0) - whole("nextn_predict_layers", 0));
        spelled.put("num_hidden_layers", prefix + "block_count");
    }

    private void sayLatentHeads() {
        int ropeColumns = whole("rope.dimension_count", 0);
        fields.put("qk_rope_head_dim", ropeColumns);
        spelled.put("qk_rope_head_dim", prefix + "rope.dimension_count");
        if (!fields.has("qk_head_dim")) {
            refuseJoined();
        }
        fields.put("qk_nope_head_dim", fields.path("qk_head_dim").asInt(0) - ropeColumns);
        spelled.put("qk_nope_head_dim", prefix + "attention.key_length_mla");
        if (fields.path("q_lora_rank").asInt(1) == 0) {
            fields.remove("q_lora_rank");
        }
    }

    /// Old files state no head sizes of latent attention and have kv_b in one piece.
    private void refuseJoined() {
        String joined = Part.KV_UP.name(Part.Form.GGUF, 0);
        if (file.entries().containsKey(joined)) {
            throw LatentSplit.onlyJoined(file.path(), joined);
        }
        throw refuse("attention.key_length_mla", "it must be a number");
    }

    private void sayGroupedHeads(Family family) {
        int heads = Math.max(1, whole("attention.head_count", 1));
        int columns = whole("attention.key_length", whole("embedding_length", 0) / heads);
        if (whole("attention.value_length", columns) != columns) {
            throw refuse("attention.value_length", "must be attention.key_length = " + columns);
        }
        int turned = whole("rope.dimension_count", columns);
        if (turned != columns && !architecture.turnsPart()) {
            throw refuse("rope.dimension_count", "RoPE on part of the " + columns + " columns is not understood");
        }
        fields.put("rotary_dim", turned);
        spelled.put("rotary_dim", prefix + "rope.dimension_count");
        if (family.norms() == Family.Norms.HEADS_IF_STATED) {
            fields.put("use_qk_norm", file.entries().containsKey(Part.QUERY_HEAD_NORM.name(Part.Form.GGUF, 0)));
        }
        fields.put("head_dim", columns);
        spelled.put("head_dim", prefix + "attention.key_length");
    }

    private void sayMixture(Family family) {
        switch (family.mixture()) {
            case SOFTMAX_GROUPS -> {
                fields.put("topk_method", fields.path("n_group").asInt(1) > 1 ? "group_limited_greedy" : "greedy");
                sayDefault("norm_topk_prob", false);
            }
            case SIGMOID_GROUPS -> sayDefault("norm_topk_prob", false);
            case SOFTMAX ->
                sayDefault(
                        "norm_topk_prob",
                        architecture == GgufArchitecture.QWEN3MOE || architecture == GgufArchitecture.LLAMA);
            case SOFTMAX_BIASED -> {
                rename("first_k_dense_replace", "moe_layer_start_index");
                sayIfThere("interleave_moe_layer_step", "moe_layer_interval");
            }
            case NONE, SOFTMAX_NORMALISED, SOFTMAX_OF_CHOSEN, SIGMOID -> {}
        }
        boolean scaled =
                family.mixture() == Family.Mixture.SOFTMAX_GROUPS || family.mixture() == Family.Mixture.SIGMOID_GROUPS;
        if (!scaled && fields.path("routed_scaling_factor").asDouble(1) == 1) {
            fields.remove("routed_scaling_factor");
        }
        if (!fields.has("moe_intermediate_size") && fields.has("intermediate_size")) {
            fields.set("moe_intermediate_size", fields.get("intermediate_size"));
        }
        sayShared(family);
    }

    private void sayDefault(String field, boolean value) {
        if (!fields.has(field)) {
            fields.put(field, value);
        }
    }

    private void rename(String from, String to) {
        if (fields.has(from)) {
            fields.set(to, fields.remove(from));
            spelled.put(to, spelled.getOrDefault(from, from));
        }
    }

    /// Where shared experts are counted, how wide they are follows, and shapes are checked against it: some
    /// converters state another number.
    private void sayShared(Family family) {
        boolean counted = family.shared() == Family.Shared.COUNTED || family.shared() == Family.Shared.ONE;
        if (counted) {
            fields.remove("shared_expert_intermediate_size");
        }
        if (family.shared() == Family.Shared.ONE
                && fields.path("n_shared_experts").asInt(1) == 1) {
            fields.remove("n_shared_experts");
        }
    }

    /// Which layers see only the last positions: a list, or a period whose last layer sees all.
    private void sayWindows(Family family) {
        if (family.windows() == Family.Windows.NONE || family.windows() == Family.Windows.ALL_IF_STATED) {
            return;
        }
        sayIfThere("attention.sliding_window", "sliding_window");
        said.add(PATTERN);
        GgufValue pattern = file.metadata().get(prefix + PATTERN);
        var kinds = fields.putArray("layer_types");
        int layers =
                Math.min(Limits.MOE_LAYERS, fields.path("num_hidden_layers").asInt(0));
        for (int layer = 0; layer < layers; layer++) {
            kinds.add(slides(pattern, layer) ? SpanReader.SLIDING : SpanReader.FULL);
        }
        spelled.put("layer_types", prefix + PATTERN);
    }

    private boolean slides(@Nullable GgufValue pattern, int layer) {
        if (pattern == null && architecture == GgufArchitecture.GPT_OSS) {
            return layer % 2 == 0;
        }
        if (pattern instanceof GgufValue.Whole(long period) && period > 0) {
            return layer % period < period - 1;
        }
        if (pattern instanceof GgufValue.Flags flags && layer < flags.count()) {
            return flags.at(layer);
        }
        throw refuse(PATTERN, "must be a period or say of each layer whether it slides");
    }

    private void sayIfThere(String ggufName, String field) {
        GgufValue value = file.metadata().get(prefix + ggufName);
        if (value != null) {
            put(fields, field, ggufName, value);
        }
    }

    private void sayTheRest() {
        fields.put("rope_interleave", architecture.interleaved());
        if (architecture == GgufArchitecture.GRANITEMOE && isFalse("rope.scaling.finetuned")) {
            throw refuse("rope.scaling.finetuned", "granite without RoPE is not understood");
        }
        fields.put("tie_word_embeddings", !file.entries().containsKey(Part.HEAD.name(Part.Form.GGUF)));
        TensorEntry embedding = file.entries().get(Part.EMBEDDING.name(Part.Form.GGUF));
        if (!fields.has("vocab_size") && embedding != null && !embedding.shape().isEmpty()) {
            fields.put("vocab_size", embedding.shape().getFirst());
        }
        sayScaling();
    }

    /// Without a type, a factor means linear scaling; "none" is how GGUF spells the default, whatever else is stated.
    private void sayScaling() {
        String type = scaling.path("rope_type").asString("linear");
        if (scaling.isEmpty() || type.equals("none")) {
            return;
        }
        scaling.put("rope_type", type);
        spelled.putIfAbsent("rope_type", prefix + "rope.scaling.type");
        if (architecture == GgufArchitecture.GPT_OSS && type.equals("yarn")) {
            scaling.put("truncate", false); // as all models of this family state it
        }
        fields.set("rope_parameters", scaling);
    }

    private boolean isFalse(String ggufName) {
        return file.metadata().get(prefix + ggufName) instanceof GgufValue.Flag(boolean flag) && !flag;
    }

    private void refuseUnsaid() {
        for (Map.Entry<String, GgufValue> field : file.metadata().entrySet()) {
            if (field.getKey().startsWith(prefix)) {
                String name = field.getKey().substring(prefix.length());
                if (!said.contains(name) && !HARMLESS.contains(name)) {
                    throw refuse(name, "this field is not understood and might change the model's numbers");
                }
            }
        }
    }

    private int whole(String ggufName, int fallback) {
        said.add(ggufName);
        GgufValue value = file.metadata().get(prefix + ggufName);
        if (value == null) {
            return fallback;
        }
        if (value instanceof GgufValue.Whole(long number) && number >= 0 && number <= COUNT_MAX) {
            return (int) number;
        }
        throw refuse(ggufName, "must be a whole number from 0 to " + COUNT_MAX);
    }

    private ClusterException refuse(String ggufName, String why) {
        @Nullable GgufValue value = file.metadata().get(prefix + ggufName);
        return Refusals.unsupported(
                file.path(),
                value == null
                        ? prefix + ggufName + " is missing: " + why
                        : prefix + ggufName + " = " + Refusals.shown(value.shown()) + ": " + why);
    }
}
