package org.bergfried.worker.trunk;

/// The largest step that a trunk can run; all its memory is allocated for it at start.
///
/// @param rowsMax      rows (tokens) of a step.
/// @param sequencesMax slices of a step.
/// @param positionsMax positions of a sequence, prompt and answer together.
/// @param logitsMax    rows of a step that may get logits: `sequencesMax` serves, `rowsMax` is what a tool needs that
///     wants them all.
public record TrunkCapacity(int rowsMax, int sequencesMax, int positionsMax, int logitsMax) {
    public TrunkCapacity {
        if (rowsMax < 1 || sequencesMax < 1 || positionsMax < 1 || logitsMax < 1 || logitsMax > rowsMax) {
            throw new IllegalArgumentException("a trunk needs room for at least one row, sequence, position and row of "
                    + "logits, and for no more rows of logits than rows; given are rowsMax " + rowsMax
                    + ", sequencesMax " + sequencesMax + ", positionsMax " + positionsMax + ", logitsMax " + logitsMax);
        }
    }
}
