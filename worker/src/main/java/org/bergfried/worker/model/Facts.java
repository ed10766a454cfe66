package org.bergfried.worker.model;

/// What a configuration and the table of families say together.
///
/// @param family    the row of the table.
/// @param spec      everything that changes numbers.
/// @param inputBias whether queries, keys and values have biases. A GGUF has biases where it has them.
/// @param outputBias whether the attention's output has a bias.
/// @param norms     whether queries and keys are normalised.
record Facts(Family family, ModelSpec spec, boolean inputBias, boolean outputBias, boolean norms) {
    /// The same with another spec.
    Facts withSpec(ModelSpec other) {
        return new Facts(family, other, inputBias, outputBias, norms);
    }
}
