package org.bergfried.worker.kernel.foreign;

import static org.bergfried.worker.kernel.cpu.HostBuffer.F32;
import static org.bergfried.worker.kernel.cpu.HostBuffer.I32;

import java.lang.foreign.MemorySegment;
import org.bergfried.worker.kernel.AttentionShape;
import org.bergfried.worker.kernel.CacheView;
import org.bergfried.worker.kernel.GateShape;
import org.bergfried.worker.kernel.RopeShape;
import org.bergfried.worker.kernel.cpu.HostBuffer;
import org.bergfried.worker.kernel.cpu.HostMatrix;
import org.bergfried.worker.kernel.cpu.Kernels;
import org.bergfried.worker.kernel.cpu.Scratch;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.Rows;
import org.jspecify.annotations.Nullable;

/// The kernels in C. Embeddings, the choice of experts, biases that are not F32 and norms of 8 or 4 bits take no time
/// in a step and are left to the kernels behind these.
public final class NativeKernels implements Kernels {
    private final Kernels others;
    private final int variant;

    /// Kernels of a variant that [NativeLibrary#variants()] names.
    ///
    /// @param others compute what takes no time.
    public NativeKernels(Kernels others, Variant variant) {
        if (!NativeLibrary.variants().contains(variant)) {
            throw new IllegalArgumentException(variant + " kernels cannot run here: " + NativeLibrary.describe());
        }
        this.others = others;
        this.variant = variant.number();
    }

    @Override
    public String name() {
        return "native";
    }

    @Override
    public void embed(HostMatrix table, MemorySegment ids, Rows y, int from, int to, Scratch scratch) {
        others.embed(table, ids, y, from, to, scratch);
    }

    @Override
    public void quantise(Rows x, Codes codes, int from, int to, Scratch scratch) {
        int columns = codes.columns();
        long count = (long) (to - from) * columns;
        long first = (long) from * columns;
        long q = Addresses.of(HostBuffer.segment(codes.q()), first, count);
        long dx = Addresses.of(HostBuffer.segment(codes.scales()), first / 32 * 4, count / 32 * 4);
        NativeCalls.QUANTISE.call(variant, Addresses.of(x, from, to, columns), x.stride(), columns, q, dx, to - from);
    }

    @Override
    public void reservePrepared(HostMatrix w, int n, Scratch shared) {
        NativeProducts.reserve(variant, w, n, shared);
    }

    @Override
    public void prepare(HostMatrix w, Rows x, Codes codes, int n, int from, int to, Scratch scratch) {
        NativeProducts.prepare(variant, w, x, codes, n, from, to, scratch);
    }

    @Override
    public void multiply(HostMatrix w, Rows x, Codes codes, int n, Rows y, int from, int to, Scratch scratch) {
        NativeProducts.multiply(variant, w, n, y, from, to, scratch);
    }

    @Override
    public void rmsNorm(Rows x, HostMatrix weight, float epsilon, Rows y, int from, int to, Scratch scratch) {
        if (weight.type() == ElementType.F8_E4M3 || weight.type() == ElementType.F4_E2M1) {
            others.rmsNorm(x, weight, epsilon, y, from, to, scratch);
            return;
        }
        int columns = weight.columns();
        NativeCalls.RMS_NORM.call(
                variant,
                Addresses.of(x, from, to, columns),
                x.stride(),
                NativeProducts.number(weight.type()),
                Addresses.of(weight.weights(), 0, weight.type().rowBytes(columns)),
                columns,
                epsilon,
                Addresses.of(y, from, to, columns),
                y.stride(),
                to - from);
    }

    @Override
    public void add(Rows x, Rows y, int columns, int from, int to) {
        long sum = Addresses.of(x, from, to, columns);
        NativeCalls.ADD.call(
                variant, sum, x.stride(), Addresses.of(y, from, to, columns), y.stride(), columns, to - from);
    }

    @Override
    public void addBias(Rows x, HostMatrix bias, int from, int to) {
        if (bias.type() != ElementType.F32) {
            others.addBias(x, bias, from, to);
            return;
        }
        int columns = bias.columns();
        long row = Addresses.of(bias.weights(), 0, 4L * columns);
        NativeCalls.ADD.call(variant, Addresses.of(x, from, to, columns), x.stride(), row, 0, columns, to - from);
    }

    @Override
    public void swiglu(Rows gate, Rows up, int columns, Rows y, int from, int to, Scratch scratch) {
        NativeCalls.SWIGLU.call(
                variant,
                Addresses.of(gate, from, to, columns),
                gate.stride(),
                Addresses.of(up, from, to, columns),
                up.stride(),
                columns,
                Addresses.of(y, from, to, columns),
                y.stride(),
                to - from);
    }

    @Override
    public void clampedSwiglu(Rows gate, Rows up, int columns, float alpha, float limit, Rows y, int from, int to) {
        NativeCalls.CLAMPED_SWIGLU.call(
                variant,
                Addresses.of(gate, from, to, columns),
                gate.stride(),
                Addresses.of(up, from, to, columns),
                up.stride(),
                columns,
                alpha,
                limit,
                Addresses.of(y, from, to, columns),
                y.stride(),
                to - from);
    }

    @Override
    public void scale(Rows x, int columns, float factor, int from, int to) {
        NativeCalls.SCALE.call(variant, Addresses.of(x, from, to, columns), x.stride(), columns, factor, to - from);
    }

    @Override
    public void scaleBySigmoid(Rows x, int columns, Rows logits, int from, int to) {
        NativeCalls.SCALE_BY_SIGMOID.call(
                variant,
                Addresses.of(x, from, to, columns),
                x.stride(),
                columns,
                Addresses.of(logits, from, to, 1),
                logits.stride(),
                to - from);
    }

    @Override
    public void rope(Rows x, RopeShape shape, MemorySegment positions, MemorySegment table, int from, int to) {
        int half = shape.rotaryColumns() / 2;
        int columns = (shape.heads() - 1) * shape.headStride() + shape.rotaryColumns();
        for (int i = from; i < to; i++) {
            NativeCalls.ROPE.call(
                    variant,
                    Addresses.of(x, i, i + 1, columns),
                    Addresses.of(table, 8L * positions.get(I32, 4L * i) * half, 8L * half),
                    shape.heads(),
                    shape.headStride(),
                    half,
                    shape.interleaved() ? 1 : 0);
        }
    }

    @Override
    public void attentionWithin(
            AttentionShape shape,
            int window,
            @Nullable HostMatrix sinks,
            Rows query,
            CacheView cache,
            Rows y,
            int from,
            int to,
            Scratch scratch) {
        int perKey = shape.heads() / shape.kvHeads();
        int pair = from;
        while (pair < to) {
            int head = pair % shape.heads();
            int count = Math.min(to - pair, perKey - head % perKey);
            NativeAttention.heads(
                    variant, shape, window, sinks, query, cache, y, pair / shape.heads(), head, count, scratch);
            pair += count;
        }
    }

    @Override
    public void gate(
            GateShape shape,
            Rows scores,
            @Nullable HostMatrix bias,
            MemorySegment ids,
            MemorySegment weights,
            int from,
            int to,
            Scratch scratch) {
        others.gate(shape, scores, bias, ids, weights, from, to, scratch);
    }

    @Override
    public void accumulate(
            Rows y,
            MemorySegment weights,
            MemorySegment index,
            int columns,
            MemorySegment sums,
            MemorySegment poisoned,
            int from,
            int to) {
        for (int i = from; i < to; i++) {
            int target = index.get(I32, 4L * i);
            long sum = Addresses.of(sums, 8L * target * columns, 8L * columns);
            long row = Addresses.of(y, i, i + 1, columns);
            if (NativeCalls.ACCUMULATE.call(variant, row, weights.get(F32, 4L * i), columns, sum) == 0) {
                poisoned.set(I32, 4L * target, 1);
            }
        }
    }

    @Override
    public void combine(MemorySegment sums, int columns, Rows y, int from, int to) {
        for (int i = from; i < to; i++) {
            long sum = Addresses.of(sums, 8L * i * columns, 8L * columns);
            NativeCalls.COMBINE.call(variant, sum, Addresses.of(y, i, i + 1, columns), columns);
        }
    }
}
