package org.bergfried.worker.trunk;

import java.util.List;
import org.bergfried.worker.kvcache.SequenceMemory;

/// The rows of one step: a slice of tokens of each sequence that takes part.
///
/// @param number counts steps of this trunk.
/// @param slices at most one per sequence.
public record Step(long number, List<Slice> slices) {
    public Step {
        slices = List.copyOf(slices);
    }

    /// Rows in all.
    public int rows() {
        return slices.stream().mapToInt(Slice::count).sum();
    }

    /// Consecutive tokens of one sequence. Earlier positions are in its memory, and pages for these are reserved.
    ///
    /// @param memory        the sequence's pages.
    /// @param ids           the sequence's tokens; the slice is `ids[from .. from + count)`, and `from` is also the
    /// first position.
    /// @param from          first token and position.
    /// @param count         tokens, at least 1.
    /// @param logits        which rows the caller wants logits of.
    public record Slice(SequenceMemory memory, int[] ids, int from, int count, Logits logits) {}

    /// Which rows of a slice get logits.
    public enum Logits {
        /// None: a chunk of a prompt that goes on.
        NONE,
        /// The last row.
        LAST,
        /// Every row.
        ALL
    }
}
