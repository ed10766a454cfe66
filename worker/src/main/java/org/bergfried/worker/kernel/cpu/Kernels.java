package org.bergfried.worker.kernel.cpu;

import java.lang.foreign.MemorySegment;
import org.bergfried.worker.kernel.AttentionShape;
import org.bergfried.worker.kernel.CacheView;
import org.bergfried.worker.kernel.GateShape;
import org.bergfried.worker.kernel.RopeShape;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.Rows;
import org.jspecify.annotations.Nullable;

/// The arithmetic of a CPU backend: each method computes a range `[from, to)` of an operation of
/// [org.bergfried.worker.kernel.Backend] on one thread. Shapes are already validated, ranges of one operation are
/// disjoint, and nothing is allocated but in a [Scratch] that grows.
public interface Kernels {
    /// The backend's name: scalar, vector.
    String name();

    /// Rows `[from, to)` of `y` become rows `ids[i]` of the table (rule G).
    void embed(HostMatrix table, MemorySegment ids, Rows y, int from, int to, Scratch scratch);

    /// Rule B of rows `[from, to)`.
    void quantise(Rows x, Codes codes, int from, int to, Scratch scratch);

    /// Makes room in `shared` for [#prepare] of `n` rows.
    default void reservePrepared(HostMatrix w, int n, Scratch shared) {}

    /// Brings rows `[from, to)` of the `n` rows that [#multiply] reads into a form of its own in `scratch.shared()`:
    /// of `codes` where `w` is integer-coded, of `x` otherwise. All rows are prepared before multiply is called.
    default void prepare(HostMatrix w, Rows x, Codes codes, int n, int from, int to, Scratch scratch) {}

    /// Columns `[from, to)` of `y`, rows `[0, n)`: rule C or D. `from` is a multiple of 32.
    void multiply(HostMatrix w, Rows x, Codes codes, int n, Rows y, int from, int to, Scratch scratch);

    /// RMSNorm (rule E) of rows `[from, to)`.
    void rmsNorm(Rows x, HostMatrix weight, float epsilon, Rows y, int from, int to, Scratch scratch);

    /// `x = x + y` for rows `[from, to)`.
    void add(Rows x, Rows y, int columns, int from, int to);

    /// `x = x + bias` for rows `[from, to)`.
    void addBias(Rows x, HostMatrix bias, int from, int to);

    /// `y = silu(gate) * up` for rows `[from, to)`.
    void swiglu(Rows gate, Rows up, int columns, Rows y, int from, int to, Scratch scratch);

    /// `y = (clamp(up) + 1) * (g * sigmoid(g * alpha))` with `g = min(gate, limit)` for rows `[from, to)`.
    void clampedSwiglu(Rows gate, Rows up, int columns, float alpha, float limit, Rows y, int from, int to);

    /// `x = x * factor` for rows `[from, to)`.
    void scale(Rows x, int columns, float factor, int from, int to);

    /// `x = x * sigmoid(logit)` for rows `[from, to)`.
    void scaleBySigmoid(Rows x, int columns, Rows logits, int from, int to);

    /// RoPE of rows `[from, to)`.
    void rope(Rows x, RopeShape shape, MemorySegment positions, MemorySegment table, int from, int to);

    /// Attention of the pairs `[from, to)` of row and query head: pair `p` is row `p / heads`, head `p % heads`.
    default void attention(
            AttentionShape shape, Rows query, CacheView cache, Rows y, int from, int to, Scratch scratch) {
        attentionWithin(shape, 0, null, query, cache, y, from, to, scratch);
    }

    /// The same within a window (0: of all positions) and with sinks, `[1, heads]` or null.
    void attentionWithin(
            AttentionShape shape,
            int window,
            @Nullable HostMatrix sinks,
            Rows query,
            CacheView cache,
            Rows y,
            int from,
            int to,
            Scratch scratch);

    /// The choice of experts for rows `[from, to)`.
    void gate(
            GateShape shape,
            Rows scores,
            @Nullable HostMatrix bias,
            MemorySegment ids,
            MemorySegment weights,
            int from,
            int to,
            Scratch scratch);

    /// Rule F of rows `[from, to)`.
    void accumulate(
            Rows y,
            MemorySegment weights,
            MemorySegment index,
            int columns,
            MemorySegment sums,
            MemorySegment poisoned,
            int from,
            int to);

    /// The way back from fixed point of rows `[from, to)`.
    void combine(MemorySegment sums, int columns, Rows y, int from, int to);
}
