package org.bergfried.worker.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.bergfried.contract.ClusterException;
import org.bergfried.worker.kernel.GateShape;
import org.bergfried.worker.kernel.GateShape.Scoring;
import org.bergfried.worker.model.RopeSpec.Scaling;
import org.bergfried.worker.weights.JsonTexts;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Configurations with the fields and values of published models: every field is understood or known to be harmless.
class PublishedConfigurationsTest {
    private static final String DEEPSEEK_V3 = """
            {"architectures": ["DeepseekV3ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
             "auto_map": {"AutoConfig": "configuration_deepseek.DeepseekV3Config"}, "aux_loss_alpha": 0.001,
             "bos_token_id": 0, "eos_token_id": 1, "ep_size": 1, "first_k_dense_replace": 3, "hidden_act": "silu",
             "hidden_size": 7168, "initializer_range": 0.02, "intermediate_size": 18432, "kv_lora_rank": 512,
             "max_position_embeddings": 163840, "model_type": "deepseek_v3", "moe_intermediate_size": 2048,
             "moe_layer_freq": 1, "n_group": 8, "n_routed_experts": 256, "n_shared_experts": 1,
             "norm_topk_prob": true, "num_attention_heads": 128, "num_experts_per_tok": 8, "num_hidden_layers": 61,
             "num_key_value_heads": 128, "num_nextn_predict_layers": 1, "pretraining_tp": 1, "q_lora_rank": 1536,
             "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "rms_norm_eps": 1e-06,
             "rope_scaling": {"beta_fast": 32, "beta_slow": 1, "factor": 40, "mscale": 1.0, "mscale_all_dim": 1.0,
                              "original_max_position_embeddings": 4096, "type": "yarn"},
             "rope_theta": 10000, "routed_scaling_factor": 2.5, "scoring_func": "sigmoid", "seq_aux": true,
             "tie_word_embeddings": false, "topk_group": 4, "topk_method": "noaux_tc", "torch_dtype": "bfloat16",
             "transformers_version": "4.33.1", "use_cache": true, "v_head_dim": 128, "vocab_size": 129280}""";

    @TempDir
    Path directory;

    @Test
    void understandsDeepSeekV3() throws IOException {
        ModelSpec spec = read(DEEPSEEK_V3);
        double m = 0.1 * StrictMath.log(40) + 1;
        assertEquals(
                new AttentionSpec.Latent(128, 1536, 512, 128, 64, 128, (float) (m * m / Math.sqrt(192))),
                spec.attention());
        assertEquals(576, spec.attention().cacheColumns());
        assertEquals(new RopeSpec(64, 10000, true, new Scaling.Yarn(40, 32, 1, 4096, 1, true)), spec.rope());
        assertEquals(58, spec.moeLayers().length);
        assertEquals(3, spec.moeLayers()[0]);
    }

    @Test
    void understandsDeepSeekV2Lite() throws IOException {
        ModelSpec spec = read("""
                {"model_type": "deepseek_v2", "attention_bias": false, "aux_loss_alpha": 0.001,
                 "first_k_dense_replace": 1, "hidden_act": "silu", "hidden_size": 2048, "intermediate_size": 10944,
                 "kv_lora_rank": 512, "max_position_embeddings": 163840, "moe_intermediate_size": 1408,
                 "moe_layer_freq": 1, "n_group": 1, "n_routed_experts": 64, "n_shared_experts": 2,
                 "norm_topk_prob": false, "num_attention_heads": 16, "num_experts_per_tok": 6,
                 "num_hidden_layers": 27, "num_key_value_heads": 16, "pretraining_tp": 1, "q_lora_rank": null,
                 "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "rms_norm_eps": 1e-06,
                 "rope_scaling": {"beta_fast": 32, "beta_slow": 1, "factor": 40, "mscale": 0.707,
                                  "mscale_all_dim": 0.707, "original_max_position_embeddings": 4096, "type": "yarn"},
                 "rope_theta": 10000, "routed_scaling_factor": 1.0, "scoring_func": "softmax", "seq_aux": true,
                 "tie_word_embeddings": false, "topk_group": 1, "topk_method": "greedy", "v_head_dim": 128,
                 "vocab_size": 102400}""");
        double m = 0.1 * 0.707 * StrictMath.log(40) + 1;
        assertEquals((float) (m * m / Math.sqrt(192)), spec.attention().scale());
        assertEquals(26, spec.moeLayers().length);
    }

    @Test
    void understandsQwen3With128Experts() throws IOException {
        ModelSpec spec = read("""
                {"architectures": ["Qwen3MoeForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
                 "bos_token_id": 151643, "decoder_sparse_step": 1, "eos_token_id": 151645, "head_dim": 128,
                 "hidden_act": "silu", "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 6144,
                 "max_position_embeddings": 40960, "max_window_layers": 48, "mlp_only_layers": [],
                 "model_type": "qwen3_moe", "moe_intermediate_size": 768, "norm_topk_prob": true,
                 "num_attention_heads": 32, "num_experts": 128, "num_experts_per_tok": 8, "num_hidden_layers": 48,
                 "num_key_value_heads": 4, "output_router_logits": false, "rms_norm_eps": 1e-06,
                 "rope_scaling": null, "rope_theta": 1000000.0, "router_aux_loss_coef": 0.001,
                 "sliding_window": null, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
                 "transformers_version": "4.51.0", "use_cache": true, "use_sliding_window": false,
                 "vocab_size": 151936}""");
        assertEquals(new AttentionSpec.Grouped(32, 4, 128, (float) (1 / Math.sqrt(128))), spec.attention());
        assertEquals(new RopeSpec(128, 1000000, false, new Scaling.None()), spec.rope());
        assertEquals(48, spec.moeLayers().length);
    }

    @Test
    void understandsLlama31() throws IOException {
        ModelSpec spec = read("""
                {"architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
                 "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009], "hidden_act": "silu",
                 "hidden_size": 4096, "initializer_range": 0.02, "intermediate_size": 14336,
                 "max_position_embeddings": 131072, "mlp_bias": false, "model_type": "llama",
                 "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8, "pretraining_tp": 1,
                 "rms_norm_eps": 1e-05,
                 "rope_scaling": {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                                  "original_max_position_embeddings": 8192, "rope_type": "llama3"},
                 "rope_theta": 500000.0, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
                 "transformers_version": "4.42.3", "use_cache": true, "vocab_size": 128256}""");
        assertEquals(new RopeSpec(128, 500000, false, new Scaling.Llama3(8, 1, 4, 8192)), spec.rope());
        assertEquals(0, spec.moeLayers().length);
    }

    @Test
    void understandsR1DistilledIntoQwen2() throws IOException {
        ModelSpec spec = read("""
                {"architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151643,
                 "eos_token_id": 151643, "hidden_act": "silu", "hidden_size": 3584, "initializer_range": 0.02,
                 "intermediate_size": 18944, "max_position_embeddings": 131072, "max_window_layers": 28,
                 "model_type": "qwen2", "num_attention_heads": 28, "num_hidden_layers": 28,
                 "num_key_value_heads": 4, "rms_norm_eps": 1e-06, "rope_theta": 10000, "sliding_window": 4096,
                 "tie_word_embeddings": false, "torch_dtype": "bfloat16", "transformers_version": "4.44.0",
                 "use_cache": true, "use_mrope": false, "use_sliding_window": false, "vocab_size": 152064}""");
        assertEquals(new AttentionSpec.Grouped(28, 4, 128, (float) (1 / Math.sqrt(128))), spec.attention());
        assertEquals(Collections.nCopies(28, AttentionSpan.ALL), spec.spans());
    }

    @Test
    void understandsMixtral() throws IOException {
        ModelSpec spec = read("""
                {"architectures": ["MixtralForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 1,
                 "eos_token_id": 2, "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
                 "intermediate_size": 14336, "max_position_embeddings": 32768, "model_type": "mixtral",
                 "num_attention_heads": 32, "num_experts_per_tok": 2, "num_hidden_layers": 32,
                 "num_key_value_heads": 8, "num_local_experts": 8, "output_router_logits": false,
                 "rms_norm_eps": 1e-05, "rope_theta": 1000000.0, "router_aux_loss_coef": 0.02,
                 "sliding_window": null, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
                 "transformers_version": "4.36.0.dev0", "use_cache": true, "vocab_size": 32000}""");
        var gate = new GateShape(Scoring.SOFTMAX, 8, 2, 1, 1, GateShape.GroupScore.MAXIMUM, true, 0f, 1f);
        assertEquals(new FeedForwardSpec.Moe(gate, 14336, 0), spec.layers().getFirst());
    }

    @Test
    void understandsGlm45Air() throws IOException {
        ModelSpec spec = read("""
                {"architectures": ["Glm4MoeForCausalLM"], "attention_bias": true, "attention_dropout": 0.0,
                 "eos_token_id": [151329, 151336, 151338], "first_k_dense_replace": 1, "head_dim": 128,
                 "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
                 "intermediate_size": 10944, "max_position_embeddings": 131072, "model_type": "glm4_moe",
                 "moe_intermediate_size": 1408, "n_group": 1, "n_routed_experts": 128, "n_shared_experts": 1,
                 "norm_topk_prob": true, "num_attention_heads": 96, "num_experts_per_tok": 8,
                 "num_hidden_layers": 46, "num_key_value_heads": 8, "num_nextn_predict_layers": 1,
                 "pad_token_id": 151329, "partial_rotary_factor": 0.5, "rms_norm_eps": 1e-05,
                 "rope_scaling": null, "rope_theta": 1000000, "routed_scaling_factor": 1.0,
                 "tie_word_embeddings": false, "topk_group": 1, "torch_dtype": "bfloat16",
                 "transformers_version": "4.54.1", "use_cache": true, "use_qk_norm": false,
                 "vocab_size": 151552}""");
        assertEquals(new RopeSpec(64, 1000000, false, new Scaling.None()), spec.rope());
        assertEquals(45, spec.moeLayers().length);
    }

    private static final String MINIMAX_M2 = """
            {"architectures": ["MiniMaxM2ForCausalLM"], "attn_type_list": [1, 1], "attention_bias": false,
             "attention_dropout": 0.0, "head_dim": 128, "hidden_act": "silu", "hidden_size": 3072,
             "intermediate_size": 1536, "max_position_embeddings": 196608, "mlp_intermediate_size": 8192,
             "model_type": "minimax_m2", "mtp_transformer_layers": 1, "num_attention_heads": 48,
             "num_experts_per_tok": 8, "num_hidden_layers": 2, "num_key_value_heads": 8,
             "num_local_experts": 256, "num_mtp_modules": 3, "output_router_logits": false,
             "qk_norm_type": "per_layer", "rms_norm_eps": 1e-06, "rope_theta": 5000000, "rotary_dim": 64,
             "router_jitter_noise": 0.0, "scoring_func": "sigmoid", "shared_intermediate_size": 0,
             "tie_word_embeddings": false, "use_cache": true, "use_mtp": true, "use_qk_norm": true,
             "use_routing_bias": true, "vocab_size": 200064}""";

    @Test
    void understandsMiniMaxM2AndNoOtherKindOfItsAttention() throws IOException {
        assertEquals(
                new RopeSpec(64, 5000000, false, new Scaling.None()),
                read(MINIMAX_M2).rope());
        ClusterException refusal =
                assertThrows(ClusterException.class, () -> read(MINIMAX_M2.replace("[1, 1]", "[1, 0]")));
        assertTrue(refusal.text().contains("attn_type_list = [1,0]: only 1 is understood"), refusal.text());
    }

    @Test
    void understandsTheFieldsOfGptOss() throws IOException {
        ModelSpec spec = read("""
                {"architectures": ["GptOssForCausalLM"], "attention_bias": true, "attention_dropout": 0.0,
                 "eos_token_id": 200002, "experts_per_token": 4, "head_dim": 64, "hidden_act": "silu",
                 "hidden_size": 2880, "initial_context_length": 4096, "initializer_range": 0.02,
                 "intermediate_size": 2880, "layer_types": ["sliding_attention", "full_attention"],
                 "max_position_embeddings": 131072, "model_type": "gpt_oss", "num_attention_heads": 64,
                 "num_experts_per_tok": 4, "num_hidden_layers": 2, "num_key_value_heads": 8,
                 "num_local_experts": 32, "output_router_logits": false, "pad_token_id": 199999,
                 "rms_norm_eps": 1e-05,
                 "rope_scaling": {"beta_fast": 32.0, "beta_slow": 1.0, "factor": 32.0,
                                  "original_max_position_embeddings": 4096, "rope_type": "yarn", "truncate": false},
                 "rope_theta": 150000, "router_aux_loss_coef": 0.9, "sliding_window": 128, "swiglu_limit": 7.0,
                 "tie_word_embeddings": false, "use_cache": true, "vocab_size": 201088}""");
        assertEquals(List.of(new AttentionSpan(128, true), AttentionSpan.ALL), spec.spans());
        double factor = 0.1 * StrictMath.log(32) + 1;
        assertEquals(new RopeSpec(64, 150000, false, new Scaling.Yarn(32, 32, 1, 4096, factor, false)), spec.rope());
    }

    @Test
    void understandsFp8AsDeepSeekPublishesIt() throws IOException {
        String coded = DEEPSEEK_V3.replaceFirst("\\{", """
                {"quantization_config": {"activation_scheme": "dynamic", "fmt": "e4m3", "quant_method": "fp8",
                 "weight_block_size": [128, 128]},""");
        assertEquals(read(DEEPSEEK_V3), read(coded));
    }

    @Test
    void namesTheCodingOfWeightsThatItDoesNotUnderstand() {
        String coded = DEEPSEEK_V3.replaceFirst(
                "\\{", "{\"quantization_config\": {\"quant_method\": \"fp8\", \"weight_block_size\": [64, 128]},");
        ClusterException refusal = assertThrows(ClusterException.class, () -> read(coded));
        assertTrue(refusal.text().contains("weight_block_size = [64,128]: only 128"), refusal.text());
    }

    private ModelSpec read(String json) throws IOException {
        Path file = directory.resolve("config.json");
        Files.writeString(file, json);
        var config = new Config(file, JsonTexts.readObject(file), Map.of());
        String modelType = config.word("model_type", "");
        Family family = Families.named(file, modelType);
        return SpecReader.read(modelType, family, config.withAliases(family.fields()))
                .spec();
    }
}
