package org.bergfried.worker.model;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The architectural facts of a family that its configuration does not state.
///
/// @param modelTypes  the values of config.json's `model_type` that name it.
/// @param attention   the kind of attention.
/// @param norms       what is normalised between the projections of queries and keys and the scores.
/// @param biases      which projections of the attention have biases.
/// @param interleaved whether Hugging Face's weights are laid out for RoPE in pairs (2i, 2i+1).
/// @param windows     which layers see only the last positions.
/// @param sinks       whether each query head has a sink in its softmax.
/// @param multipliers whether the configuration states factors of embedding, attention, residual and logits.
/// @param mixture     which layers are mixtures of experts and how their gate chooses.
/// @param shared      what the shared expert is.
/// @param experts     how the experts of a layer lie in Hugging Face's files.
/// @param fields      our name of a field (Hugging Face's most frequent one) to this family's.
/// @param parts       names of tensors in Hugging Face's files that differ from those in [Part].
/// @param ggufParts   names of tensors in GGUFs that differ likewise.
/// @param stated      fields that are understood with one value only.
/// @param harmless    fields that change no number, beside those of every family.
record Family(
        List<String> modelTypes,
        Attention attention,
        Norms norms,
        Biases biases,
        boolean interleaved,
        Windows windows,
        boolean sinks,
        boolean multipliers,
        Mixture mixture,
        Shared shared,
        Experts experts,
        Map<String, String> fields,
        Map<Part, String> parts,
        Map<Part, String> ggufParts,
        Map<String, Object> stated,
        Set<String> harmless) {
    /// Kinds of attention.
    enum Attention {
        /// Grouped queries.
        GROUPED,
        /// Multi-head latent attention.
        LATENT
    }

    /// Norms of queries and keys.
    enum Norms {
        /// None.
        NONE,
        /// Each head before RoPE.
        HEADS,
        /// Each head before RoPE if `use_qk_norm` says so.
        HEADS_IF_STATED,
        /// Each head after RoPE.
        HEADS_AFTER_ROPE,
        /// All heads together before RoPE.
        WHOLE
    }

    /// Biases of the attention's projections.
    enum Biases {
        /// `attention_bias` is about queries, keys, values and output.
        ALL_IF_STATED,
        /// `attention_bias` is about queries, keys and values.
        INPUTS_IF_STATED,
        /// Queries, keys and values have biases unless `qkv_bias` is false.
        INPUTS
    }

    /// Sliding windows.
    enum Windows {
        /// Every layer sees all positions, whatever `sliding_window` says.
        NONE,
        /// Every layer has a window if `sliding_window` is stated.
        ALL_IF_STATED,
        /// `layer_types` says which layers have one.
        BY_LAYER,
        /// The same, and RoPE turns only where there is a window.
        BY_LAYER_ELSE_NO_ROPE
    }

    /// Kinds of mixtures. Which layers are mixtures is stated in the fields of [Layers].
    enum Mixture {
        /// Dense layers only.
        NONE(Layers.NONE, false),
        /// Softmax over all experts, top-k.
        SOFTMAX(Layers.STEPS, false),
        /// The same, with weights that always sum to 1.
        SOFTMAX_NORMALISED(Layers.STEPS, false),
        /// Top-k by logit, softmax over the chosen.
        SOFTMAX_OF_CHOSEN(Layers.ALL, false),
        /// Ernie 4.5: softmax with a bias for the choice, weights divided by their sum.
        SOFTMAX_BIASED(Layers.RANGE, true),
        /// DeepSeek-V2: softmax, groups by their maximum.
        SOFTMAX_GROUPS(Layers.AFTER_FIRST, false),
        /// DeepSeek-V3: sigmoid with a bias for the choice, groups by their best two.
        SIGMOID_GROUPS(Layers.AFTER_FIRST, true),
        /// MiniMax-M2: sigmoid with a bias for the choice, weights divided by their sum.
        SIGMOID(Layers.ALL, true);

        final Layers layers;
        final boolean biased; // whether the choice has a bias

        Mixture(Layers layers, boolean biased) {
            this.layers = layers;
            this.biased = biased;
        }
    }

    /// Which layers are mixtures. `mlp_layer_types`, where it is stated, overrules it.
    enum Layers {
        /// None.
        NONE,
        /// All.
        ALL,
        /// Every `decoder_sparse_step`-th but `mlp_only_layers`.
        STEPS,
        /// From `first_k_dense_replace`, every `moe_layer_freq`-th.
        AFTER_FIRST,
        /// Between `moe_layer_start_index` and `moe_layer_end_index`, every `moe_layer_interval`-th.
        RANGE
    }

    /// Shared experts.
    enum Shared {
        /// None.
        NONE,
        /// `n_shared_experts`, each as wide as a routed one.
        COUNTED,
        /// One, as wide as a routed one.
        ONE,
        /// One of `shared_expert_intermediate_size`, weighed by a sigmoid of its own.
        GATED
    }

    /// Experts in Hugging Face's files.
    enum Experts {
        /// One tensor for each expert and matrix.
        SINGLE,
        /// A layer's in two tensors: `[experts, gate rows then up rows, inputs]` and `[experts, outputs, inputs]`.
        HALVES,
        /// gpt-oss: `[experts, inputs, gate and up columns in turn]` and `[experts, inputs, outputs]`, with biases.
        TURNS
    }

    /// A family of grouped-query attention.
    static Builder grouped(String... modelTypes) {
        return new Builder(Attention.GROUPED, List.of(modelTypes));
    }

    /// A family of latent attention, whose RoPE is in pairs.
    static Builder latent(String... modelTypes) {
        return new Builder(Attention.LATENT, List.of(modelTypes)).interleaved();
    }

    /// Says of a family what differs from a dense Llama.
    static final class Builder {
        private final Attention attention;
        private final List<String> modelTypes;
        private Norms norms = Norms.NONE;
        private Biases biases = Biases.ALL_IF_STATED;
        private boolean interleaved;
        private Windows windows = Windows.NONE;
        private boolean sinks;
        private boolean multipliers;
        private Mixture mixture = Mixture.NONE;
        private Shared shared = Shared.NONE;
        private Experts experts = Experts.SINGLE;
        private final Map<String, String> fields = new HashMap<>();
        private final Map<Part, String> parts = new HashMap<>();
        private final Map<Part, String> ggufParts = new HashMap<>();
        private final Map<String, Object> stated = new HashMap<>();
        private final Set<String> harmless = new HashSet<>();

        private Builder(Attention attention, List<String> modelTypes) {
            this.attention = attention;
            this.modelTypes = modelTypes;
        }

        Builder norms(Norms kind) {
            norms = kind;
            return this;
        }

        Builder biases(Biases kind) {
            biases = kind;
            return this;
        }

        Builder interleaved() {
            interleaved = true;
            return this;
        }

        Builder windows(Windows kind) {
            windows = kind;
            return this;
        }

        Builder sinks() {
            sinks = true;
            return this;
        }

        Builder multipliers() {
            multipliers = true;
            return this;
        }

        Builder mixture(Mixture kind, Shared sharedExpert) {
            mixture = kind;
            shared = sharedExpert;
            return this;
        }

        Builder experts(Experts kind) {
            experts = kind;
            return this;
        }

        /// What this family calls a field.
        Builder field(String ours, String theirs) {
            fields.put(ours, theirs);
            return this;
        }

        /// What this family calls a tensor.
        Builder part(Part part, String name) {
            parts.put(part, name);
            return this;
        }

        /// What GGUFs of this family call a tensor.
        Builder ggufPart(Part part, String name) {
            ggufParts.put(part, name);
            return this;
        }

        /// A field that may be stated, with this value only.
        Builder stated(String field, Object value) {
            stated.put(field, value);
            return this;
        }

        /// Fields that change no number.
        Builder harmless(String... names) {
            harmless.addAll(List.of(names));
            return this;
        }

        Family build() {
            return new Family(
                    modelTypes,
                    attention,
                    norms,
                    biases,
                    interleaved,
                    windows,
                    sinks,
                    multipliers,
                    mixture,
                    shared,
                    experts,
                    Map.copyOf(fields),
                    Map.copyOf(parts),
                    Map.copyOf(ggufParts),
                    Map.copyOf(stated),
                    Set.copyOf(harmless));
        }
    }
}
