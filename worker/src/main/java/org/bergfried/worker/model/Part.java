package org.bergfried.worker.model;

/// The part that a tensor plays, and what it is called in either form. Parts of a layer stand behind
/// `model.layers.N.` or `blk.N.`.
enum Part {
    EMBEDDING("model.embed_tokens.weight", "token_embd.weight"),
    OUTPUT_NORM("model.norm.weight", "output_norm.weight"),
    HEAD("lm_head.weight", "output.weight"),

    ATTENTION_NORM("input_layernorm.weight", "attn_norm.weight"),
    FEED_FORWARD_NORM("post_attention_layernorm.weight", "ffn_norm.weight"),

    QUERY("self_attn.q_proj.weight", "attn_q.weight"),
    QUERY_BIAS("self_attn.q_proj.bias", "attn_q.bias"),
    QUERY_HEAD_NORM("self_attn.q_norm.weight", "attn_q_norm.weight"),
    KEY("self_attn.k_proj.weight", "attn_k.weight"),
    KEY_BIAS("self_attn.k_proj.bias", "attn_k.bias"),
    KEY_HEAD_NORM("self_attn.k_norm.weight", "attn_k_norm.weight"),
    VALUE("self_attn.v_proj.weight", "attn_v.weight"),
    VALUE_BIAS("self_attn.v_proj.bias", "attn_v.bias"),
    ATTENTION_OUTPUT("self_attn.o_proj.weight", "attn_output.weight"),
    ATTENTION_OUTPUT_BIAS("self_attn.o_proj.bias", "attn_output.bias"),

    QUERY_DOWN("self_attn.q_a_proj.weight", "attn_q_a.weight"),
    QUERY_DOWN_NORM("self_attn.q_a_layernorm.weight", "attn_q_a_norm.weight"),
    QUERY_UP("self_attn.q_b_proj.weight", "attn_q_b.weight"),
    KV_DOWN("self_attn.kv_a_proj_with_mqa.weight", "attn_kv_a_mqa.weight"),
    KV_NORM("self_attn.kv_a_layernorm.weight", "attn_kv_a_norm.weight"),
    /// K and V half of every head in one matrix.
    KV_UP("self_attn.kv_b_proj.weight", "attn_kv_b.weight"),
    /// The transposed K halves; only GGUFs have them.
    KEY_UP("self_attn.k_b_proj.weight", "attn_k_b.weight"),
    /// The V halves; only GGUFs have them.
    VALUE_UP("self_attn.v_b_proj.weight", "attn_v_b.weight"),

    /// A logit for each query head that its softmax sums, `[heads]`.
    SINKS("self_attn.sinks", "attn_sinks.weight"),

    GATE_PROJ("mlp.gate_proj.weight", "ffn_gate.weight"),
    UP_PROJ("mlp.up_proj.weight", "ffn_up.weight"),
    DOWN_PROJ("mlp.down_proj.weight", "ffn_down.weight"),

    GATE("mlp.gate.weight", "ffn_gate_inp.weight"),
    GATE_BIAS("mlp.gate.e_score_correction_bias", "exp_probs_b.bias"),
    GATE_LOGIT_BIAS("mlp.router.bias", "ffn_gate_inp.bias"),
    /// The logit that weighs the shared expert, `[1, hiddenSize]`.
    SHARED_GATE("mlp.shared_expert_gate.weight", "ffn_gate_inp_shexp.weight"),
    SHARED_GATE_PROJ("mlp.shared_experts.gate_proj.weight", "ffn_gate_shexp.weight"),
    SHARED_UP_PROJ("mlp.shared_experts.up_proj.weight", "ffn_up_shexp.weight"),
    SHARED_DOWN_PROJ("mlp.shared_experts.down_proj.weight", "ffn_down_shexp.weight"),

    // One tensor per expert; `#` is the expert's index.
    EXPERT_GATE_PROJ("mlp.experts.#.gate_proj.weight", "ffn_gate.#.weight"),
    EXPERT_UP_PROJ("mlp.experts.#.up_proj.weight", "ffn_up.#.weight"),
    EXPERT_DOWN_PROJ("mlp.experts.#.down_proj.weight", "ffn_down.#.weight"),

    // All experts of a layer in one tensor `[experts, outputs, inputs]` or `[experts, outputs]`; only GGUFs have them.
    MERGED_GATE_PROJ("mlp.experts.gate_proj.weight", "ffn_gate_exps.weight"),
    MERGED_UP_PROJ("mlp.experts.up_proj.weight", "ffn_up_exps.weight"),
    MERGED_DOWN_PROJ("mlp.experts.down_proj.weight", "ffn_down_exps.weight"),
    MERGED_GATE_BIAS("mlp.experts.gate_proj.bias", "ffn_gate_exps.bias"),
    MERGED_UP_BIAS("mlp.experts.up_proj.bias", "ffn_up_exps.bias"),
    MERGED_DOWN_BIAS("mlp.experts.down_proj.bias", "ffn_down_exps.bias"),

    // All experts of a layer, gate and up in one tensor.
    FUSED_GATE_UP_PROJ("mlp.experts.gate_up_proj", "ffn_gate_up_exps.weight"),
    FUSED_GATE_UP_BIAS("mlp.experts.gate_up_proj_bias", "ffn_gate_up_exps.bias"),
    FUSED_DOWN_PROJ("mlp.experts.down_proj", "ffn_down_exps.weight"),
    FUSED_DOWN_BIAS("mlp.experts.down_proj_bias", "ffn_down_exps.bias");

    private final String huggingFace;
    private final String gguf;

    Part(String huggingFace, String gguf) {
        this.huggingFace = huggingFace;
        this.gguf = gguf;
    }

    /// The form of a model file, which decides how tensors are called.
    enum Form {
        /// Hugging Face safetensors.
        SAFETENSORS("model.layers."),
        /// GGUF.
        GGUF("blk.");

        private final String layerPrefix;

        Form(String layerPrefix) {
            this.layerPrefix = layerPrefix;
        }

        /// What stands before the number of a layer.
        String layerPrefix() {
            return layerPrefix;
        }

        private String spell(Part part) {
            return this == SAFETENSORS ? part.huggingFace : part.gguf;
        }
    }

    /// The name of a tensor that no layer owns.
    String name(Form form) {
        return form.spell(this);
    }

    /// The name of a layer's tensor.
    String name(Form form, int layer) {
        return form.layerPrefix() + layer + "." + form.spell(this);
    }

    /// The name of an expert's own tensor.
    String name(Form form, int layer, int expert) {
        return name(form, layer).replace("#", Integer.toString(expert));
    }
}
