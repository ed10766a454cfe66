package org.bergfried.worker.model;

import java.util.Map;
import org.bergfried.worker.weights.GgufBytes;
import tools.jackson.databind.JsonNode;

/// The metadata that llama.cpp's converter writes for a config.json.
final class GgufTwinFields {
    private static final Map<String, String> COUNTS = Map.ofEntries(
            Map.entry("max_position_embeddings", "context_length"),
            Map.entry("hidden_size", "embedding_length"),
            Map.entry("intermediate_size", "feed_forward_length"),
            Map.entry("num_attention_heads", "attention.head_count"),
            Map.entry("vocab_size", "vocab_size"),
            Map.entry("head_dim", "attention.key_length"),
            Map.entry("moe_intermediate_size", "expert_feed_forward_length"),
            Map.entry("shared_expert_intermediate_size", "expert_shared_feed_forward_length"),
            Map.entry("num_experts", "expert_count"),
            Map.entry("num_local_experts", "expert_count"),
            Map.entry("n_routed_experts", "expert_count"),
            Map.entry("moe_num_experts", "expert_count"),
            Map.entry("num_experts_per_tok", "expert_used_count"),
            Map.entry("moe_topk", "expert_used_count"),
            Map.entry("moe_k", "expert_used_count"),
            Map.entry("n_shared_experts", "expert_shared_count"),
            Map.entry("num_shared_experts", "expert_shared_count"),
            Map.entry("moe_num_shared_experts", "expert_shared_count"),
            Map.entry("first_k_dense_replace", "leading_dense_block_count"),
            Map.entry("moe_layer_start_index", "leading_dense_block_count"),
            Map.entry("moe_layer_interval", "interleave_moe_layer_step"),
            Map.entry("n_group", "expert_group_count"),
            Map.entry("topk_group", "expert_group_used_count"),
            Map.entry("num_nextn_predict_layers", "nextn_predict_layers"),
            Map.entry("q_lora_rank", "attention.q_lora_rank"),
            Map.entry("kv_lora_rank", "attention.kv_lora_rank"));

    private static final Map<String, String> NUMBERS = Map.of(
            "rms_norm_eps", "attention.layer_norm_rms_epsilon",
            "routed_scaling_factor", "expert_weights_scale",
            "attention_multiplier", "attention.scale",
            "embedding_multiplier", "embedding_scale",
            "residual_multiplier", "residual_scale",
            "logits_scaling", "logit_scale");

    private final String architecture;
    private final JsonNode config;
    private final GgufBytes gguf = new GgufBytes();

    GgufTwinFields(String architecture, JsonNode config) {
        this.architecture = architecture;
        this.config = config;
    }

    GgufBytes write() {
        gguf.text("general.architecture", architecture);
        COUNTS.forEach((theirs, ours) -> {
            if (config.hasNonNull(theirs) && !(latent() && theirs.equals("head_dim"))) {
                count(ours, config.get(theirs).intValue());
            }
        });
        NUMBERS.forEach((theirs, ours) -> {
            if (config.hasNonNull(theirs)) {
                number(ours, config.get(theirs).doubleValue());
            }
        });
        int layers = config.get("num_hidden_layers").intValue();
        count("block_count", layers + config.path("num_nextn_predict_layers").asInt(0));
        writeAttention();
        writeRope(config.get("rope_parameters"));
        writeFamily();
        return gguf;
    }

    private boolean latent() {
        return architecture.equals("deepseek2");
    }

    private void writeAttention() {
        int rope = config.path("qk_rope_head_dim").asInt(0);
        if (latent()) {
            count("attention.head_count_kv", 1);
            count("attention.key_length", config.get("kv_lora_rank").intValue() + rope);
            count("attention.value_length", config.get("kv_lora_rank").intValue());
            count("attention.key_length_mla", config.get("qk_nope_head_dim").intValue() + rope);
            count("attention.value_length_mla", config.get("v_head_dim").intValue());
            count("rope.dimension_count", rope);
        } else {
            count("attention.head_count_kv", config.get("num_key_value_heads").intValue());
        }
    }

    private void writeRope(JsonNode rope) {
        number("rope.freq_base", rope.get("rope_theta").doubleValue());
        if (rope.path("rope_type").asString("default").equals("yarn")) {
            gguf.text(architecture + ".rope.scaling.type", "yarn");
            number("rope.scaling.factor", rope.get("factor").doubleValue());
            count(
                    "rope.scaling.original_context_length",
                    rope.get("original_max_position_embeddings").intValue());
            if (rope.hasNonNull("mscale_all_dim")) {
                number(
                        "rope.scaling.yarn_log_multiplier",
                        0.1 * rope.get("mscale_all_dim").doubleValue());
            }
        }
    }

    /// What the converter divides each frequency by where Llama 3.1's scaling is stated, else nothing.
    static float[] divisors(JsonNode config) {
        JsonNode rope = config.get("rope_parameters");
        if (!rope.path("rope_type").asString("default").equals("llama3")) {
            return new float[0];
        }
        int columns = config.path("head_dim")
                .asInt(config.get("hidden_size").intValue()
                        / config.get("num_attention_heads").intValue());
        double low = rope.get("low_freq_factor").doubleValue();
        double high = rope.get("high_freq_factor").doubleValue();
        double factor = rope.get("factor").doubleValue();
        double original = rope.get("original_max_position_embeddings").doubleValue();
        var divisors = new float[columns / 2];
        for (int i = 0; i < divisors.length; i++) {
            double wave = 2 * Math.PI * StrictMath.pow(rope.get("rope_theta").doubleValue(), 2.0 * i / columns);
            double smooth = (original / wave - low) / (high - low);
            double between = 1 / ((1 - smooth) / factor + smooth);
            divisors[i] = (float) (wave < original / high ? 1 : wave > original / low ? factor : between);
        }
        return divisors;
    }

    private void writeFamily() {
        switch (architecture) {
            case "deepseek2" -> {
                boolean sigmoid = !config.get("model_type").stringValue().equals("deepseek_v2");
                count("expert_gating_func", sigmoid ? 2 : 1);
                flag("expert_weights_norm", config.path("norm_topk_prob").asBoolean(false));
            }
            case "glm4moe" -> {
                count("rope.dimension_count", config.get("head_dim").intValue() / 2);
                sigmoidGate();
            }
            case "dots1" -> sigmoidGate();
            case "exaone-moe" -> {
                sigmoidGate();
                gguf.text(architecture + ".rope.scaling.type", "none");
                count("attention.sliding_window", config.get("sliding_window").intValue());
                windows();
            }
            case "gpt-oss" -> {
                count("attention.sliding_window", config.get("sliding_window").intValue());
                count(
                        "expert_feed_forward_length",
                        config.get("intermediate_size").intValue());
            }
            case "ernie4_5-moe" -> count("expert_shared_feed_forward_length", 48); // a half of the dense, as it happens
            case "hunyuan-moe" -> {
                count(
                        "expert_shared_feed_forward_length",
                        config.get("intermediate_size").intValue());
                count(
                        "expert_feed_forward_length",
                        config.get("intermediate_size").intValue());
                count("expert_shared_count", 1);
                gguf.text(architecture + ".rope.scaling.type", "none");
                number("rope.scaling.factor", 1);
                count("rope.scaling.original_context_length", 512);
            }
            case "minimax-m2" -> {
                count("expert_gating_func", 2);
                count(
                        "expert_feed_forward_length",
                        config.get("intermediate_size").intValue());
                count("rope.dimension_count", config.get("head_dim").intValue());
            }
            case "granitemoe" -> flag("rope.scaling.finetuned", true);
            default -> {}
        }
    }

    private void sigmoidGate() {
        count("expert_gating_func", 2);
        flag("expert_weights_norm", config.get("norm_topk_prob").booleanValue());
    }

    private void windows() {
        JsonNode kinds = config.get("layer_types");
        var flags = new byte[kinds.size()];
        for (int layer = 0; layer < flags.length; layer++) {
            flags[layer] = (byte) (kinds.get(layer).stringValue().startsWith("sliding") ? 1 : 0);
        }
        gguf.flags(architecture + ".attention.sliding_window_pattern", flags);
    }

    private void count(String key, int value) {
        gguf.uint32(architecture + "." + key, value);
    }

    private void number(String key, double value) {
        gguf.float32(architecture + "." + key, (float) value);
    }

    private void flag(String key, boolean value) {
        gguf.flag(architecture + "." + key, value);
    }
}
