package org.bergfried.worker.trunk;

import java.lang.foreign.MemorySegment;

/// Runs steps. One thread calls it.
public interface StepRunner {
    /// Rows that a step may have.
    int rowsMax();

    /// Columns of the logits.
    int vocabularySize();

    /// Runs one step to its end. Errors of single sequences are flags in the outcome and leave the others alone.
    Outcome run(Step step);

    /// What a step gave; valid until the next one.
    ///
    /// @param logits    float32 `[rows wanted, vocabularySize]`, in the order of slices and their rows.
    /// @param nonFinite per slice: whether a term of its rows was not finite or too large (rule F), or a logit is
    /// NaN: the sequence must end with
    ///                  NONFINITE_OUTPUT.
    record Outcome(MemorySegment logits, boolean[] nonFinite) {}
}
