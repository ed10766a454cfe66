package org.bergfried.worker.model;

/// Factors that some models put on the residual stream; 1 leaves the bits alone.
///
/// @param embedding of the embedding's rows.
/// @param residual  of what each part adds.
/// @param logits    of the head's results.
public record Multipliers(float embedding, float residual, float logits) {
    /// No factors.
    public static final Multipliers NONE = new Multipliers(1, 1, 1);
}
