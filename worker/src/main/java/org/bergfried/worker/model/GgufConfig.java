package org.bergfried.worker.model;

import static java.util.Map.entry;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bergfried.contract.ClusterException;
import org.bergfried.worker.weights.JsonTexts;
import org.bergfried.worker.weights.Refusals;
import org.bergfried.worker.weights.TensorEntry;
import org.bergfried.worker.weights.gguf.GgufFile;
import org.bergfried.worker.weights.gguf.GgufValue;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// Says a GGUF's metadata in the fields of config.json, so that one reader understands both. A field of the
/// architecture that it cannot say is refused by name.
final class GgufConfig {
    /// Architectures: GGUF's name, our families, and whether q and k are laid out for RoPE in pairs (2i, 2i+1).
    private enum Architecture {
        DEEPSEEK2("deepseek2", true),
        LLAMA("llama", true),
        QWEN2("qwen2", false),
        QWEN2MOE("qwen2moe", false),
        QWEN3("qwen3", false),
        QWEN3MOE("qwen3moe", false);

        private final String spelled;
        private final boolean interleaved;

        Architecture(String spelled, boolean interleaved) {
            this.spelled = spelled;
            this.interleaved = interleaved;
        }
    }

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
            entry("expert_weights_norm", "norm_topk_prob"));

    /// Fields that change no number: the widths of latent attention's cache and how the file came to be.
    private static final Set<String> HARMLESS =
            Set.of("rope.scaling.finetuned", "tensor_data_layout", "attention.key_length", "attention.value_length");

    private static final int COUNT_MAX = 1 << 20;
    private static final String SCALING = "rope.scaling.";

    private final GgufFile file;
    private final Architecture architecture;
    private final String prefix;
    private final ObjectNode fields = JsonTexts.object();
    private final ObjectNode scaling = JsonTexts.object();
    private final Map<String, String> spelled = new HashMap<>();
    private final Set<String> said = new HashSet<>();

    private GgufConfig(GgufFile file, Architecture architecture) {
        this.file = file;
        this.architecture = architecture;
        this.prefix = architecture.spelled + ".";
    }

    /// A GGUF's configuration.
    ///
    /// @param architecture GGUF's name of it.
    /// @param modelType    the family in the table.
    /// @param config       the fields.
    record Said(String architecture, String modelType, Config config) {}

    static Said read(GgufFile file) {
        String name =
                file.metadata().get("general.architecture") instanceof GgufValue.Text text ? text.shown() : "(none)";
        for (Architecture architecture : Architecture.values()) {
            if (architecture.spelled.equals(name)) {
                return new GgufConfig(file, architecture).read();
            }
        }
        throw Refusals.unsupported(
                file.path(),
                "general.architecture = " + Refusals.shown(name) + " is not understood; understood are "
                        + String.join(", ", architectures()));
    }

    /// The architectures that are understood.
    static List<String> architectures() {
        return List.of(Architecture.values()).stream()
                .map(architecture -> architecture.spelled)
                .toList();
    }

    private Said read() {
        refuseSplitFiles();
        String modelType = modelType();
        rename();
        sayLayers();
        if (architecture == Architecture.DEEPSEEK2) {
            sayLatentHeads();
        } else {
            sayGroupedHeads();
        }
        sayMixture(modelType);
        sayTheRest();
        refuseUnsaid();
        return new Said(architecture.spelled, modelType, new Config(file.path(), fields, spelled));
    }

    private void refuseSplitFiles() {
        if (file.metadata().get("split.count") instanceof GgufValue.Whole(long count) && count > 1) {
            throw Refusals.unsupported(
                    file.path(), "split.count = " + count + ": a GGUF in several files is not understood; merge them");
        }
    }

    private String modelType() {
        return switch (architecture) {
            case DEEPSEEK2 ->
                switch (whole("expert_gating_func", 0)) {
                    case 0, 1 -> "deepseek_v2";
                    case 2 -> "deepseek_v3";
                    default -> throw refuse("expert_gating_func", "understood are 1 (softmax) and 2 (sigmoid)");
                };
            case LLAMA -> whole("expert_count", 0) > 0 ? Families.LLAMA_MOE : "llama";
            case QWEN2 -> "qwen2";
            case QWEN2MOE -> "qwen2_moe";
            case QWEN3 -> "qwen3";
            case QWEN3MOE -> "qwen3_moe";
        };
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

    private void sayGroupedHeads() {
        int heads = Math.max(1, whole("attention.head_count", 1));
        int columns = whole("attention.key_length", whole("embedding_length", 0) / heads);
        if (whole("attention.value_length", columns) != columns) {
            throw refuse("attention.value_length", "must be attention.key_length = " + columns);
        }
        if (whole("rope.dimension_count", columns) != columns) {
            throw refuse("rope.dimension_count", "RoPE on part of the " + columns + " columns is not understood");
        }
        fields.put("head_dim", columns);
        spelled.put("head_dim", prefix + "attention.key_length");
    }

    private void sayMixture(String modelType) {
        if (architecture == Architecture.DEEPSEEK2) {
            said.add("expert_gating_func");
            boolean grouped = fields.path("n_group").asInt(1) > 1 && modelType.equals("deepseek_v2");
            fields.put(
                    "topk_method",
                    grouped ? "group_limited_greedy" : modelType.equals("deepseek_v2") ? "greedy" : "noaux_tc");
            if (!fields.has("norm_topk_prob")) {
                fields.put("norm_topk_prob", false);
            }
        } else if (fields.has("n_routed_experts")) {
            fields.set("num_experts", fields.remove("n_routed_experts"));
            spelled.put("num_experts", prefix + "expert_count");
            if (!fields.has("norm_topk_prob")) {
                fields.put("norm_topk_prob", architecture != Architecture.QWEN2MOE);
            }
            if (!fields.has("moe_intermediate_size")) {
                fields.set("moe_intermediate_size", fields.get("intermediate_size"));
            }
        }
    }

    private void sayTheRest() {
        fields.put("rope_interleave", architecture.interleaved);
        fields.put("tie_word_embeddings", !file.entries().containsKey(Part.HEAD.name(Part.Form.GGUF)));
        TensorEntry embedding = file.entries().get(Part.EMBEDDING.name(Part.Form.GGUF));
        if (!fields.has("vocab_size") && embedding != null && !embedding.shape().isEmpty()) {
            fields.put("vocab_size", embedding.shape().getFirst());
        }
        if (!scaling.isEmpty()) {
            // Without a type, a factor means linear scaling; "none" is how GGUF spells the default.
            String type = scaling.path("rope_type").asString("linear");
            scaling.put("rope_type", type.equals("none") ? "default" : type);
            spelled.putIfAbsent("rope_type", prefix + "rope.scaling.type");
            fields.set("rope_parameters", scaling);
        }
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
