package org.bergfried.worker.kernel;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.bergfried.worker.tensor.Buffer;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.Rows;
import org.bergfried.worker.tensor.StoredTensor;
import org.jspecify.annotations.Nullable;

/// Executes the engine's operations in the order of ARITHMETIC.md, bit for bit like every other backend.
///
/// Operations are queued in order by one owner thread; only [#await()] makes their results readable by the host.
/// Shapes are validated when an operation is queued (a mismatch is a bug: `IllegalArgumentException`). Nothing is
/// allocated by an operation. All matrices of activations are float32 unless said otherwise; `n` is the number of
/// rows (tokens) in this step. Unless an operation says otherwise, inputs and outputs must not overlap.
public interface Backend extends AutoCloseable {
    /// The backend's name in configuration and reports: scalar, vector, native, cuda.
    String name();

    /// Loads a weight matrix (outer sizes folded into rows), re-laying integer-coded types. Refuses Inf and NaN among
    /// float weights and scales with `ClusterException(WEIGHTS_CORRUPT)` that names the tensor.
    Matrix load(StoredTensor tensor);

    /// What [#load] will take.
    WeightSize weightSize();

    /// Makes a zeroed buffer that lives until it or the backend is closed.
    Buffer allocate(long bytes);

    /// Frees a buffer before the backend is closed.
    void free(Buffer buffer);

    /// Makes room for `rows` quantised rows of at most `columns` elements.
    default Codes allocateCodes(int rows, int columns) {
        return new Codes(
                allocate((long) rows * columns), allocate((long) rows * (columns / 32) * Float.BYTES), columns);
    }

    /// Queues a copy of host bytes into a buffer. The source may be changed as soon as this returns.
    void write(MemorySegment source, Buffer target, long targetByteOffset);

    /// Waits for everything queued, then copies bytes of a buffer to the host.
    void read(Buffer source, long sourceByteOffset, MemorySegment target);

    /// Waits until every queued operation is done.
    void await();

    /// Rows of an embedding table (rule G). `ids`: int32 `[n]`; `y`: `[n, table.columns]`.
    void embed(Matrix table, Buffer ids, int n, Rows y);

    /// Rule B. `x`: `[n, codes.columns]`.
    void quantise(Rows x, int n, Codes codes);

    /// Products of rule C (integer-coded `w`: reads `codes`, which must hold the quantised `x`) or D (float `w`:
    /// reads `x`). `x`, `codes`: `[n, w.columns]`; `y`: `[n, w.rows]`.
    void multiply(Matrix w, Rows x, Codes codes, int n, Rows y);

    /// The products of [#multiply] for many small matrices, such as those of each head, in no particular order: a
    /// backend may run them at a time. No product may write what another one reads or writes.
    default void multiplyAll(List<Product> products, int n) {
        for (Product product : products) {
            multiply(product.w(), product.x(), product.codes(), n, product.y());
        }
    }

    /// RMSNorm (rule E). `x`, `y`: `[n, columns]`, `y` may be `x`; `weight`: a float matrix `[1, columns]`.
    void rmsNorm(Rows x, int n, Matrix weight, float epsilon, Rows y);

    /// `x = x + y`, `[n, columns]`.
    void add(Rows x, Rows y, int n, int columns);

    /// Adds a bias row after a product. `bias`: a float matrix `[1, columns]`; `x`: `[n, columns]`.
    void addBias(Rows x, int n, Matrix bias);

    /// `y = silu(gate) * up` (rule E), `[n, columns]`; `y` may be `gate`.
    void swiglu(Rows gate, Rows up, int n, int columns, Rows y);

    /// gpt-oss's SwiGLU, `[n, columns]`: `g = min(gate, limit)`, `u = max(min(up, limit), -limit)`,
    /// `y = (u + 1) * (g * sigmoid(g * alpha))`, each product and sum rounded; `y` may be `gate`.
    void clampedSwiglu(Rows gate, Rows up, int n, int columns, float alpha, float limit, Rows y);

    /// The activation of a feed-forward part, `[n, columns]`; `y` may be `gate`.
    default void activate(Activation activation, Rows gate, Rows up, int n, int columns, Rows y) {
        switch (activation) {
            case Activation.SwiGlu() -> swiglu(gate, up, n, columns, y);
            case Activation.ClampedSwiGlu(float alpha, float limit) ->
                clampedSwiglu(gate, up, n, columns, alpha, limit, y);
        }
    }

    /// `x = x * factor`, `[n, columns]`.
    void scale(Rows x, int n, int columns, float factor);

    /// `x = x * sigmoid(logit)` (rule E), `[n, columns]`; `logits`: `[n, 1]`, one factor for each row.
    void scaleBySigmoid(Rows x, int n, int columns, Rows logits);

    /// RoPE (rules E and G) in place on the first `shape.rotaryColumns` of each head. `x`: `[n, heads * headStride]`,
    /// head `h` begins at column `h * headStride`; `positions`: int32 `[n]`; `table`: float32 `[positions,
    /// rotaryColumns / 2, 2]` (cos, sin).
    void rope(Rows x, int n, RopeShape shape, Buffer positions, Buffer table);

    /// Scatters `[n, columns]` rows into the cache: row `i` goes to element `cacheOffset + slots[i] * rowStride` of
    /// `cache`. `slots`: int64 `[n]`, in units of cache rows.
    void store(Rows x, int n, int columns, Buffer cache, long cacheOffset, int rowStride, Buffer slots);

    /// Softmax attention over pages (rules D, E, G). `query`: `[n, heads * keyColumns]`; `y`: `[n, heads *
    /// valueColumns]`. Row `i` sees the positions `0..rows.positions[i]` of its sequence.
    void attention(AttentionShape shape, Rows query, int n, CacheView cache, Rows y);

    /// The same where row `i` sees only the last `window` positions up to its own (all of them if `window` is 0), and
    /// each query head has a sink among what its softmax sums (rule G). `sinks`: float matrix `[1, heads]` or null.
    void attentionWithin(
            AttentionShape shape, int window, @Nullable Matrix sinks, Rows query, int n, CacheView cache, Rows y);

    /// Chooses experts (rule G). `scores`: gate logits `[n, experts]` (overwritten); `bias`: float matrix `[1,
    /// experts]` or null; `ids`: int32 `[n, shape.chosen]`, in the order of choice; `weights`: float32 `[n,
    /// shape.chosen]`.
    void gate(GateShape shape, Rows scores, @Nullable Matrix bias, int n, Buffer ids, Buffer weights);

    /// Copies rows `index[i]` of `x` to row `i` of `y`. `index`: int32 `[n]`.
    void gather(Rows x, Buffer index, int n, int columns, Rows y);

    /// The same for quantised rows.
    void gatherCodes(Codes x, Buffer index, int n, Codes y);

    /// Rule F: adds `fix(weights[i] * y[i, :])` to row `index[i]` of `sums`. `y`: `[n, columns]`; `weights`: float32
    /// `[n]`; `index`: int32 `[n]`; `sums`: int64 `[rows, columns]`; `poisoned`: int32 `[rows]`, set to 1 where a
    /// term is 2^24 or more in size or not finite. Indices within one call are distinct.
    void accumulate(Rows y, Buffer weights, Buffer index, int n, int columns, Buffer sums, Buffer poisoned);

    /// Fills the first `bytes` bytes of a buffer with zeros.
    void clear(Buffer buffer, long bytes);

    /// `y = float(sums) * 2^-32` (rule F). `sums`: int64 `[n, columns]`.
    void combine(Buffer sums, int n, int columns, Rows y);

    /// Releases every buffer and matrix.
    @Override
    void close();
}
