package org.bergfried.worker.model;

/// What a configuration and the table of families say together.
///
/// @param family        the row of the table.
/// @param spec          everything that changes numbers.
/// @param attentionBias whether the configuration asks for biases in the attention; a GGUF has them where it has
///     them.
record Facts(Family family, ModelSpec spec, boolean attentionBias) {}
