package org.bergfried.worker.kernel.foreign;

/// The functions of `library.c`, with its names, argument for argument; addresses are `long`. The class is
/// initialised only where [NativeLibrary] is usable.
final class NativeCalls {
    static final Quantise QUANTISE = quick("quantise", Quantise.class);
    static final CodedBytes PREPARED_BYTES = quick("prepared_bytes", CodedBytes.class);
    static final Prepare PREPARE = slow("prepare", Prepare.class);
    static final CodedBytes SCRATCH_BYTES = quick("scratch_bytes", CodedBytes.class);
    static final Multiply MULTIPLY = slow("multiply", Multiply.class);
    static final PreparedFloatBytes PREPARED_FLOAT_BYTES = quick("prepared_float_bytes", PreparedFloatBytes.class);
    static final PrepareFloats PREPARE_FLOATS = slow("prepare_floats", PrepareFloats.class);
    static final FloatScratchBytes FLOAT_SCRATCH_BYTES = quick("float_scratch_bytes", FloatScratchBytes.class);
    static final MultiplyFloats MULTIPLY_FLOATS = slow("multiply_floats", MultiplyFloats.class);
    static final RmsNorm RMS_NORM = quick("rms_norm", RmsNorm.class);
    static final Add ADD = quick("add", Add.class);
    static final Scale SCALE = quick("scale", Scale.class);
    static final ScaleBySigmoid SCALE_BY_SIGMOID = quick("scale_by_sigmoid", ScaleBySigmoid.class);
    static final Swiglu SWIGLU = quick("swiglu", Swiglu.class);
    static final ClampedSwiglu CLAMPED_SWIGLU = quick("clamped_swiglu", ClampedSwiglu.class);
    static final Rope ROPE = quick("rope", Rope.class);
    static final Accumulate ACCUMULATE = quick("accumulate", Accumulate.class);
    static final Combine COMBINE = quick("combine", Combine.class);
    static final AttentionBytes ATTENTION_SCRATCH_BYTES = quick("attention_scratch_bytes", AttentionBytes.class);
    static final Attention ATTENTION = slow("attention", Attention.class);
    static final ReadAll READ_ALL = slow("read_all", ReadAll.class);
    static final Rounds PEAK_DOTS = slow("peak_dots", Rounds.class);
    static final Rounds PEAK_FMAS = slow("peak_fmas", Rounds.class);

    private NativeCalls() {}

    private static <T> T slow(String name, Class<T> shape) {
        return Downcalls.bind(NativeLibrary.function("bergfried_" + name), shape);
    }

    private static <T> T quick(String name, Class<T> shape) {
        return Downcalls.bindShort(NativeLibrary.function("bergfried_" + name), shape);
    }

    /// `bergfried_quantise`.
    public interface Quantise {
        /// Rule B of rows.
        void call(int variant, long x, long stride, int columns, long q, long dx, int rows);
    }

    /// `bergfried_prepared_bytes`, `bergfried_scratch_bytes`.
    public interface CodedBytes {
        /// Bytes that a product of an integer-coded type needs.
        long call(int variant, int type, int n, int columns);
    }

    /// `bergfried_prepare`.
    public interface Prepare {
        /// Rows `[from, to)` of `n` quantised rows, as `bergfried_multiply` reads them.
        void call(int variant, int type, long q, long dx, int n, int columns, int from, int to, long prepared);
    }

    /// `bergfried_multiply`.
    public interface Multiply {
        /// `rows` columns of `n` rows of y.
        void call(
                int variant,
                int type,
                long weights,
                int rows,
                int columns,
                long prepared,
                int n,
                long y,
                long stride,
                long scratch);
    }

    /// `bergfried_prepared_float_bytes`.
    public interface PreparedFloatBytes {
        /// Bytes of `n` prepared rows.
        long call(int variant, int n, int columns);
    }

    /// `bergfried_prepare_floats`.
    public interface PrepareFloats {
        /// Rows `[from, to)` of `n` rows, as `bergfried_multiply_floats` reads them.
        void call(int variant, int type, long x, long stride, int n, int columns, int from, int to, long prepared);
    }

    /// `bergfried_float_scratch_bytes`.
    public interface FloatScratchBytes {
        /// Bytes that a product of a float type needs.
        long call(int variant, int n, int columns);
    }

    /// `bergfried_multiply_floats`.
    public interface MultiplyFloats {
        /// `rows` columns of `n` rows of y; the first is column `row`. `scales`: of FP8, else 0.
        void call(
                int variant,
                int type,
                long weights,
                int rows,
                int columns,
                long scales,
                int row,
                long prepared,
                int n,
                long y,
                long stride,
                long scratch);
    }

    /// `bergfried_rms_norm`.
    public interface RmsNorm {
        /// RMSNorm of rows.
        void call(
                int variant,
                long x,
                long xStride,
                int type,
                long weight,
                int columns,
                float epsilon,
                long y,
                long yStride,
                int rows);
    }

    /// `bergfried_add`.
    public interface Add {
        /// x = x + y.
        void call(int variant, long x, long xStride, long y, long yStride, int columns, int rows);
    }

    /// `bergfried_scale`.
    public interface Scale {
        /// x = x * factor.
        void call(int variant, long x, long stride, int columns, float factor, int rows);
    }

    /// `bergfried_scale_by_sigmoid`.
    public interface ScaleBySigmoid {
        /// x = x * sigmoid(logit).
        void call(int variant, long x, long stride, int columns, long logits, long logitStride, int rows);
    }

    /// `bergfried_swiglu`.
    public interface Swiglu {
        /// y = silu(gate) * up.
        void call(
                int variant,
                long gate,
                long gateStride,
                long up,
                long upStride,
                int columns,
                long y,
                long yStride,
                int rows);
    }

    /// `bergfried_clamped_swiglu`.
    public interface ClampedSwiglu {
        /// gpt-oss's SwiGLU.
        void call(
                int variant,
                long gate,
                long gateStride,
                long up,
                long upStride,
                int columns,
                float alpha,
                float limit,
                long y,
                long yStride,
                int rows);
    }

    /// `bergfried_rope`.
    public interface Rope {
        /// RoPE of the heads of one row.
        void call(int variant, long row, long turns, int heads, long headStride, int half, int interleaved);
    }

    /// `bergfried_accumulate`.
    public interface Accumulate {
        /// Adds a row in fixed point; 0 if it poisons the sums.
        int call(int variant, long y, float weight, int columns, long sums);
    }

    /// `bergfried_combine`.
    public interface Combine {
        /// The way back from fixed point.
        void call(int variant, long sums, long y, long count);
    }

    /// `bergfried_attention_scratch_bytes`.
    public interface AttentionBytes {
        /// Bytes that an attention needs.
        long call(int variant, int heads, int keyColumns, int valueColumns, int end);
    }

    /// `bergfried_attention`.
    public interface Attention {
        /// Query heads of one row that share a key-value head.
        void call(
                int variant,
                int heads,
                int keyColumns,
                int valueColumns,
                long keyAt,
                long valueAt,
                float scale,
                long sinks,
                long layer,
                long pages,
                long pageStride,
                long rowStride,
                int pageRows,
                int first,
                int end,
                long query,
                long y,
                long scratch);
    }

    /// `bergfried_read_all`.
    public interface ReadAll {
        /// Reads memory.
        long call(int variant, long address, long bytes);
    }

    /// `bergfried_peak_dots`, `bergfried_peak_fmas`.
    public interface Rounds {
        /// Multiply-adds that so many rounds are.
        long call(int variant, long rounds);
    }
}
