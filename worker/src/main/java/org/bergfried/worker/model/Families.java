package org.bergfried.worker.model;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.bergfried.worker.model.Family.Biases;
import org.bergfried.worker.model.Family.Experts;
import org.bergfried.worker.model.Family.Mixture;
import org.bergfried.worker.model.Family.Norms;
import org.bergfried.worker.model.Family.Shared;
import org.bergfried.worker.model.Family.Windows;
import org.bergfried.worker.weights.Refusals;

/// The families that are understood, one row each: what differs from a dense Llama. A family that needs no new
/// arithmetic is a row and its golden test.
public final class Families {
    private static final List<Family> TABLE = List.of(
            Family.latent("deepseek_v3", "kimi_k2")
                    .mixture(Mixture.SIGMOID_GROUPS, Shared.COUNTED)
                    .build(),
            Family.latent("glm4_moe_lite")
                    .mixture(Mixture.SIGMOID_GROUPS, Shared.COUNTED)
                    .build(),
            Family.latent("deepseek_v2")
                    .mixture(Mixture.SOFTMAX_GROUPS, Shared.COUNTED)
                    .build(),
            Family.grouped("qwen3_moe")
                    .norms(Norms.HEADS)
                    .mixture(Mixture.SOFTMAX, Shared.NONE)
                    .build(),
            Family.grouped("qwen3").norms(Norms.HEADS).build(),
            Family.grouped("qwen2")
                    .biases(Biases.INPUTS)
                    .stated("use_mrope", false)
                    .build(),
            Family.grouped("qwen2_moe")
                    .biases(Biases.INPUTS)
                    .mixture(Mixture.SOFTMAX, Shared.GATED)
                    .part(Part.SHARED_GATE_PROJ, "mlp.shared_expert.gate_proj.weight")
                    .part(Part.SHARED_UP_PROJ, "mlp.shared_expert.up_proj.weight")
                    .part(Part.SHARED_DOWN_PROJ, "mlp.shared_expert.down_proj.weight")
                    .build(),
            Family.grouped("llama").build(),
            // A llama with experts exists as GGUF only (there its RoPE is interleaved, see GgufArchitecture).
            Family.grouped(Families.LLAMA_MOE)
                    .mixture(Mixture.SOFTMAX, Shared.NONE)
                    .build(),
            Family.grouped("mixtral")
                    .windows(Windows.ALL_IF_STATED)
                    .mixture(Mixture.SOFTMAX_NORMALISED, Shared.NONE)
                    .field("moe_intermediate_size", "intermediate_size")
                    .harmless("router_jitter_noise")
                    .part(Part.GATE, "block_sparse_moe.gate.weight")
                    .part(Part.EXPERT_GATE_PROJ, "block_sparse_moe.experts.#.w1.weight")
                    .part(Part.EXPERT_UP_PROJ, "block_sparse_moe.experts.#.w3.weight")
                    .part(Part.EXPERT_DOWN_PROJ, "block_sparse_moe.experts.#.w2.weight")
                    .build(),
            Family.grouped("olmoe")
                    .norms(Norms.WHOLE)
                    .mixture(Mixture.SOFTMAX, Shared.NONE)
                    .field("moe_intermediate_size", "intermediate_size")
                    .build(),
            Family.grouped("granitemoe")
                    .multipliers()
                    .mixture(Mixture.SOFTMAX_OF_CHOSEN, Shared.NONE)
                    .experts(Experts.HALVES)
                    .field("moe_intermediate_size", "intermediate_size")
                    .part(Part.GATE, "block_sparse_moe.router.layer.weight")
                    .part(Part.FUSED_GATE_UP_PROJ, "block_sparse_moe.input_linear.weight")
                    .part(Part.FUSED_DOWN_PROJ, "block_sparse_moe.output_linear.weight")
                    .build(),
            Family.grouped("hunyuan_v1_moe")
                    .norms(Norms.HEADS_AFTER_ROPE)
                    .mixture(Mixture.SOFTMAX_NORMALISED, Shared.ONE)
                    .field("moe_intermediate_size", "intermediate_size")
                    .field("num_experts_per_tok", "moe_topk")
                    .harmless("eod_token_id", "sep_token_id")
                    .part(Part.QUERY_HEAD_NORM, "self_attn.query_layernorm.weight")
                    .part(Part.KEY_HEAD_NORM, "self_attn.key_layernorm.weight")
                    .part(Part.GATE, "mlp.gate.wg.weight")
                    .part(Part.SHARED_GATE_PROJ, "mlp.shared_mlp.gate_proj.weight")
                    .part(Part.SHARED_UP_PROJ, "mlp.shared_mlp.up_proj.weight")
                    .part(Part.SHARED_DOWN_PROJ, "mlp.shared_mlp.down_proj.weight")
                    .build(),
            Family.grouped("ernie4_5_moe")
                    .interleaved()
                    .mixture(Mixture.SOFTMAX_BIASED, Shared.COUNTED)
                    .field("num_experts", "moe_num_experts")
                    .field("num_experts_per_tok", "moe_k")
                    .field("n_shared_experts", "moe_num_shared_experts")
                    .stated("use_bias", false)
                    .part(Part.GATE_BIAS, "mlp.moe_statics.e_score_correction_bias")
                    .build(),
            Family.grouped("glm4_moe")
                    .norms(Norms.HEADS_IF_STATED)
                    .biases(Biases.INPUTS_IF_STATED)
                    .mixture(Mixture.SIGMOID_GROUPS, Shared.COUNTED)
                    .ggufPart(Part.FEED_FORWARD_NORM, "post_attention_norm.weight")
                    .build(),
            Family.grouped("dots1")
                    .norms(Norms.HEADS)
                    .mixture(Mixture.SIGMOID_GROUPS, Shared.COUNTED)
                    .build(),
            Family.grouped("minimax_m2")
                    .norms(Norms.WHOLE)
                    .windows(Windows.ALL_IF_STATED)
                    .mixture(Mixture.SIGMOID, Shared.NONE)
                    .field("moe_intermediate_size", "intermediate_size")
                    .stated("use_qk_norm", true)
                    .stated("qk_norm_type", "per_layer")
                    .stated("use_routing_bias", true)
                    .stated("shared_intermediate_size", 0)
                    .stated("attn_type_list", 1)
                    .harmless("router_jitter_noise", "use_mtp", "num_mtp_modules", "mtp_transformer_layers")
                    .harmless("mlp_intermediate_size", "shared_moe_mode") // no layer is dense, no expert is shared
                    .part(Part.GATE, "block_sparse_moe.gate.weight")
                    .part(Part.GATE_BIAS, "block_sparse_moe.e_score_correction_bias")
                    .part(Part.EXPERT_GATE_PROJ, "block_sparse_moe.experts.#.w1.weight")
                    .part(Part.EXPERT_UP_PROJ, "block_sparse_moe.experts.#.w3.weight")
                    .part(Part.EXPERT_DOWN_PROJ, "block_sparse_moe.experts.#.w2.weight")
                    .build(),
            Family.grouped("exaone_moe")
                    .norms(Norms.HEADS)
                    .windows(Windows.BY_LAYER_ELSE_NO_ROPE)
                    .mixture(Mixture.SIGMOID_GROUPS, Shared.COUNTED)
                    .field("n_shared_experts", "num_shared_experts")
                    .harmless("sliding_window_pattern") // layer_types says the same
                    .part(Part.GATE_BIAS, "mlp.e_score_correction_bias")
                    .build(),
            Family.grouped("gpt_oss")
                    .windows(Windows.BY_LAYER)
                    .sinks()
                    .mixture(Mixture.SOFTMAX_OF_CHOSEN, Shared.NONE)
                    .experts(Experts.TURNS)
                    .field("moe_intermediate_size", "intermediate_size")
                    .harmless("initial_context_length")
                    .ggufPart(Part.FEED_FORWARD_NORM, "post_attention_norm.weight")
                    .part(Part.GATE, "mlp.router.weight")
                    .part(Part.FUSED_GATE_UP_PROJ, "mlp.experts.gate_up_proj")
                    .part(Part.FUSED_DOWN_PROJ, "mlp.experts.down_proj")
                    .build());

    /// What a GGUF of architecture llama with experts is called here.
    static final String LLAMA_MOE = "llama_moe";

    /// Fields of config.json that change no number that this engine computes.
    static final Set<String> HARMLESS_FIELDS = Set.of(
            "_attn_implementation",
            "_name_or_path",
            "architectures",
            "attention_dropout",
            "attn_implementation",
            "auto_map",
            "aux_loss_alpha",
            "bos_token_id",
            "chunk_size_feed_forward",
            "dtype",
            "eos_token_id",
            "ep_size",
            "finetuning_task",
            "gradient_checkpointing",
            "id2label",
            "initializer_range",
            "is_decoder",
            "is_encoder_decoder",
            "label2id",
            "max_window_layers",
            "model_type",
            "name_or_path",
            "num_nextn_predict_layers",
            "output_attentions",
            "output_hidden_states",
            "output_router_logits",
            "pad_token_id",
            "pretraining_tp",
            "problem_type",
            "return_dict",
            "router_aux_loss_coef",
            "seq_aux",
            "task_specific_params",
            "tokenizer_class",
            "torch_dtype",
            "torchscript",
            "transformers_version",
            "unsloth_version",
            "use_cache");

    private Families() {}

    /// Every `model_type` that is understood.
    public static List<String> modelTypes() {
        return TABLE.stream()
                .flatMap(family -> family.modelTypes().stream())
                .filter(name -> !name.equals(LLAMA_MOE))
                .toList();
    }

    /// The family of a `model_type`.
    static Family named(Path file, String modelType) {
        return TABLE.stream()
                .filter(family -> family.modelTypes().contains(modelType))
                .findFirst()
                .orElseThrow(() -> Refusals.unsupported(
                        file,
                        "model_type = " + Refusals.shown(modelType) + " is not understood; understood are "
                                + String.join(", ", modelTypes())));
    }
}
