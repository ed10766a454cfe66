package org.bergfried.worker.dispatch;

import java.lang.foreign.MemorySegment;

/// Sends the rows of a layer to the experts that their tokens chose and adds what comes back. One trunk thread owns
/// it.
public interface Dispatcher extends AutoCloseable {
    /// Fixes the placement for the layers of one step.
    void beginStep(long step);

    /// Sends each row once to every worker that hosts one of its experts; returns without waiting.
    void dispatch(Assignment assignment);

    /// Waits for everything that the last dispatch sent, going to other replicas where a host fails.
    ///
    /// @param sums     int64 `[n, hiddenSize]`, overwritten: the fixed-point sums of rule F.
    /// @param poisoned int32 `[n]`, overwritten: 1 where a term of the row was not finite or too large.
    void combine(MemorySegment sums, MemorySegment poisoned);

    @Override
    void close();

    /// Which experts the rows of a layer go to, and the rows. The memory may be reused once [#combine] has returned.
    ///
    /// @param layer   the model's layer.
    /// @param n       rows.
    /// @param chosen  experts of a row.
    /// @param ids     int32 `[n, chosen]`.
    /// @param weights float32 `[n, chosen]`.
    /// @param rows    what the experts' first matrices consume.
    record Assignment(int layer, int n, int chosen, MemorySegment ids, MemorySegment weights, RowData rows) {}

    /// Rows in the encoding that the experts' gate and up matrices consume.
    sealed interface RowData {
        /// Rule B, for integer-coded gate and up matrices.
        ///
        /// @param q      int8 `[n, hiddenSize]`.
        /// @param scales float32 `[n, hiddenSize / 32]`.
        record Quantised(MemorySegment q, MemorySegment scales) implements RowData {}

        /// Plain rows, wherever one of the two is a float matrix.
        ///
        /// @param values float32 `[n, hiddenSize]`.
        record Floats(MemorySegment values) implements RowData {}
    }
}
