package org.bergfried.worker.model;

import java.util.List;

/// The architectural facts of a family that its configuration does not state.
///
/// @param modelTypes  the values of config.json's `model_type` that name it.
/// @param attention   the kind of attention.
/// @param headNorms   whether queries and keys are normalised per head before RoPE.
/// @param interleaved whether Hugging Face's weights are laid out for RoPE in pairs (2i, 2i+1).
/// @param mixture     which layers are mixtures of experts and how their gate chooses.
record Family(List<String> modelTypes, Attention attention, boolean headNorms, boolean interleaved, Mixture mixture) {
    Family {
        modelTypes = List.copyOf(modelTypes);
    }

    /// Kinds of attention.
    enum Attention {
        /// Grouped queries.
        GROUPED,
        /// Multi-head latent attention.
        LATENT
    }

    /// Kinds of mixtures.
    enum Mixture {
        /// Dense layers only.
        NONE,
        /// Softmax over all experts, top-k; every `decoder_sparse_step`-th layer.
        SOFTMAX,
        /// DeepSeek-V2: softmax, groups by their maximum, shared experts; all but the first layers.
        SOFTMAX_GROUPS,
        /// DeepSeek-V3: sigmoid with a bias for the choice, groups by their best two, shared experts; likewise.
        SIGMOID_GROUPS
    }
}
