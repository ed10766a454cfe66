package org.bergfried.worker.model;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.bergfried.worker.weights.Refusals;

/// The families that are understood, one row each. What a row needs beyond its configuration's fields is an entry in
/// [Part] for tensors of other names and a constant of [Family.Mixture] for another gate.
public final class Families {
    private static final List<Family> TABLE = List.of(
            new Family(
                    List.of("deepseek_v3", "kimi_k2"),
                    Family.Attention.LATENT,
                    false,
                    true,
                    Family.Mixture.SIGMOID_GROUPS),
            new Family(List.of("deepseek_v2"), Family.Attention.LATENT, false, true, Family.Mixture.SOFTMAX_GROUPS),
            new Family(List.of("qwen3_moe"), Family.Attention.GROUPED, true, false, Family.Mixture.SOFTMAX),
            new Family(List.of("qwen3"), Family.Attention.GROUPED, true, false, Family.Mixture.NONE),
            new Family(List.of("llama"), Family.Attention.GROUPED, false, false, Family.Mixture.NONE),
            // A llama with experts exists as GGUF only (there its RoPE is interleaved, see Architectures).
            new Family(List.of(Families.LLAMA_MOE), Family.Attention.GROUPED, false, false, Family.Mixture.SOFTMAX));

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
