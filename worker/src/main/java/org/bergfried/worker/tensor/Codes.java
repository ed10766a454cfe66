package org.bergfried.worker.tensor;

/// Activations quantised by ARITHMETIC.md rule B, `n` rows of `columns` elements with `columns % 32 == 0`, rows
/// contiguous.
///
/// @param q       int8 `[n, columns]`.
/// @param scales  float32 `[n, columns / 32]`, dx of rule B (NaN for a block that held NaN or Inf).
/// @param columns the capacity of a row is fixed when the buffers are made; this is the row length in use.
public record Codes(Buffer q, Buffer scales, int columns) {
    /// The same buffers used with another row length.
    public Codes withColumns(int newColumns) {
        return new Codes(q, scales, newColumns);
    }
}
