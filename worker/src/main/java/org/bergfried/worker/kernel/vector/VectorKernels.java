package org.bergfried.worker.kernel.vector;

import static jdk.incubator.vector.VectorOperators.MAX;
import static org.bergfried.worker.kernel.cpu.HostBuffer.F32;
import static org.bergfried.worker.kernel.cpu.HostBuffer.I8;
import static org.bergfried.worker.kernel.vector.Width.F;
import static org.bergfried.worker.kernel.vector.Width.LANES;
import static org.bergfried.worker.kernel.vector.Width.LE;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.bergfried.worker.kernel.AttentionShape;
import org.bergfried.worker.kernel.CacheView;
import org.bergfried.worker.kernel.GateShape;
import org.bergfried.worker.kernel.RopeShape;
import org.bergfried.worker.kernel.cpu.HostBuffer;
import org.bergfried.worker.kernel.cpu.HostMatrix;
import org.bergfried.worker.kernel.cpu.Kernels;
import org.bergfried.worker.kernel.cpu.Scratch;
import org.bergfried.worker.kernel.cpu.TileLayout;
import org.bergfried.worker.kernel.scalar.ScalarKernels;
import org.bergfried.worker.kernel.scalar.ScalarMath;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.Rows;
import org.jspecify.annotations.Nullable;

/// The kernels in vectors. What takes no time in a step (embedding, RoPE, the choice of experts, biases) is left to the
/// scalar kernels.
public final class VectorKernels implements Kernels {
    private final Kernels scalar = new ScalarKernels();

    @Override
    public String name() {
        return "vector";
    }

    @Override
    public void embed(HostMatrix table, MemorySegment ids, Rows y, int from, int to, Scratch scratch) {
        scalar.embed(table, ids, y, from, to, scratch);
    }

    @Override
    public void quantise(Rows x, Codes codes, int from, int to, Scratch scratch) {
        int columns = codes.columns();
        float[] row = scratch.floats(columns);
        byte[] q = scratch.bytes(columns);
        float[] dx = scratch.moreFloats(columns / 32);
        for (int i = from; i < to; i++) {
            MemorySegment.copy(HostBuffer.segment(x.buffer()), F32, at(x, i), row, 0, columns);
            for (int b = 0; b < columns / 32; b++) {
                dx[b] = quantiseBlock(row, 32 * b);
            }
            for (int k = 0; k < columns; k++) {
                q[k] = (byte) row[k];
            }
            long qAt = (long) i * columns;
            MemorySegment.copy(q, 0, HostBuffer.segment(codes.q()), I8, qAt, columns);
            MemorySegment.copy(dx, 0, HostBuffer.segment(codes.scales()), F32, qAt / 32 * 4, columns / 32);
        }
    }

    /// Rule B of 32 columns from `at`, which it replaces by their codes; returns dx.
    private static float quantiseBlock(float[] x, int at) {
        FloatVector most = FloatVector.zero(F);
        for (int k = at; k < at + 32; k += LANES) {
            most = most.max(FloatVector.fromArray(F, x, k).abs());
        }
        float m = most.reduceLanes(MAX); // NaN if there is one
        if (!(m >= 0x1p-100f && m < Float.POSITIVE_INFINITY)) {
            Arrays.fill(x, at, at + 32, 0f);
            return m < 0x1p-100f ? 0 : Float.NaN;
        }
        float dx = m / 127f;
        float r = 1f / dx;
        for (int k = at; k < at + 32; k += LANES) { // adding 1.5 * 2^23 rounds to an integer, to even
            FloatVector.fromArray(F, x, k).mul(r).add(0x1.8p23f).sub(0x1.8p23f).intoArray(x, k);
        }
        return dx;
    }

    @Override
    public void reservePrepared(HostMatrix w, int n, Scratch shared) {
        int blocks = n * (w.columns() / 32);
        switch (w.type()) {
            case Q4_0 -> shared.ints(blocks * Q4Kernel.STRIDE);
            case Q6_K -> shared.ints(blocks * Q6Kernel.STRIDE);
            case Q8_0 -> {
                shared.ints(blocks * Q8Kernel.STRIDE);
                shared.floats(n * w.columns());
            }
            case F32, F16, BF16 -> shared.floats(n * FloatRows.padded(w.columns()));
        }
    }

    @Override
    public void prepare(HostMatrix w, Rows x, Codes codes, int from, int to, Scratch scratch) {
        int columns = w.columns();
        Scratch shared = scratch.shared();
        for (int i = from; i < to; i++) {
            if (w.type().integerCoded()) {
                prepareCodes(w, codes, i, scratch);
            } else {
                int padded = FloatRows.padded(columns);
                float[] floats = shared.floats(0);
                MemorySegment.copy(HostBuffer.segment(x.buffer()), F32, at(x, i), floats, i * padded, columns);
                Arrays.fill(floats, i * padded + columns, (i + 1) * padded, 0f);
            }
        }
    }

    private static void prepareCodes(HostMatrix w, Codes codes, int i, Scratch scratch) {
        int columns = w.columns();
        int blocks = columns / 32;
        byte[] q = scratch.bytes(columns);
        float[] dx = scratch.floats(blocks);
        MemorySegment.copy(HostBuffer.segment(codes.q()), I8, (long) i * columns, q, 0, columns);
        MemorySegment.copy(HostBuffer.segment(codes.scales()), F32, 4L * i * blocks, dx, 0, blocks);
        int[] xs = scratch.shared().ints(0);
        switch (w.type()) {
            case Q4_0 -> Q4Kernel.prepare(q, dx, columns, xs, i * blocks * Q4Kernel.STRIDE);
            case Q6_K -> Q6Kernel.prepare(q, dx, columns, xs, i * blocks * Q6Kernel.STRIDE);
            case Q8_0 ->
                Q8Kernel.prepare(
                        q,
                        dx,
                        columns,
                        xs,
                        i * blocks * Q8Kernel.STRIDE,
                        scratch.shared().floats(0),
                        i * columns);
            case F32, F16, BF16 -> throw new IllegalArgumentException(w.type() + " has no codes");
        }
    }

    @Override
    public void multiply(HostMatrix w, Rows x, Codes codes, int n, Rows y, int from, int to, Scratch scratch) {
        if (w.type().integerCoded()) {
            multiplyTiles(w, n, y, from, to, scratch);
        } else {
            multiplyFloats(w, n, y, from, to, scratch);
        }
    }

    private static void multiplyTiles(HostMatrix w, int n, Rows y, int from, int to, Scratch scratch) {
        int blocks = w.columns() / 32;
        long tileBytes = TileLayout.tileBytes(w.type(), w.columns());
        int[] xs = scratch.shared().ints(0);
        float[] xf = scratch.shared().floats(0);
        float[] sums = scratch.work(4 * TileLayout.ROWS);
        for (int row = from; row < to; row += TileLayout.ROWS) {
            MemorySegment tile = Native.slice(w.weights(), row / TileLayout.ROWS * tileBytes, tileBytes);
            int rows = Math.min(TileLayout.ROWS, to - row);
            int i = 0;
            while (i < n) {
                int count = n - i >= 4 ? 4 : 1;
                switch (w.type()) {
                    case Q4_0 -> {
                        int stride = blocks * Q4Kernel.STRIDE;
                        if (count == 4) {
                            Q4Kernel.four(tile, blocks, xs, i * stride, stride, sums);
                        } else {
                            Q4Kernel.one(tile, blocks, xs, i * stride, sums);
                        }
                    }
                    case Q8_0 -> {
                        int stride = blocks * Q8Kernel.STRIDE;
                        if (count == 4) {
                            Q8Kernel.four(tile, blocks, xs, i * stride, xf, i * w.columns(), sums);
                        } else {
                            Q8Kernel.one(tile, blocks, xs, i * stride, sums);
                        }
                    }
                    case Q6_K -> {
                        count = 1;
                        Q6Kernel.one(tile, blocks, xs, i * blocks * Q6Kernel.STRIDE, sums);
                    }
                    case F32, F16, BF16 -> throw new IllegalArgumentException(w.type() + " has no tiles");
                }
                for (int c = 0; c < count; c++) {
                    MemorySegment.copy(
                            sums,
                            c * TileLayout.ROWS,
                            HostBuffer.segment(y.buffer()),
                            F32,
                            at(y, i + c) + 4L * row,
                            rows);
                }
                i += count;
            }
        }
    }

    /// Four weight rows at a time, each activation row with them.
    private static void multiplyFloats(HostMatrix w, int n, Rows y, int from, int to, Scratch scratch) {
        int padded = FloatRows.padded(w.columns());
        long rowBytes = w.type().rowBytes(w.columns());
        MemorySegment out = HostBuffer.segment(y.buffer());
        float[] xs = scratch.shared().floats(0);
        float[] work = scratch.work(Dots.WORK);
        float[] sums = scratch.sums();
        boolean direct = w.type() == ElementType.F32 && padded == w.columns();
        for (int row = from; row < to; row += 4) {
            int last = Math.min(3, to - 1 - row);
            MemorySegment rows = Native.slice(w.weights(), row * rowBytes, (last + 1) * rowBytes);
            MemorySegment b = direct ? rows : widened(w, rows, last, scratch);
            int b1 = Math.min(1, last) * 4 * padded;
            int b2 = Math.min(2, last) * 4 * padded;
            int b3 = last * 4 * padded;
            for (int i = 0; i < n; i++) {
                Dots.four(xs, i * padded, b, 0, b1, b2, b3, padded, work, sums, 0);
                MemorySegment.copy(sums, 0, out, F32, at(y, i) + 4L * row, last + 1);
            }
        }
    }

    private static MemorySegment widened(HostMatrix w, MemorySegment rows, int last, Scratch scratch) {
        int columns = w.columns();
        int step = 4 * FloatRows.padded(columns);
        int rowBytes = (int) w.type().rowBytes(columns);
        MemorySegment into = scratch.memory(4L * step);
        for (int r = 0; r <= last; r++) {
            switch (w.type()) {
                case F32 -> FloatRows.pad(rows, r * rowBytes, columns, into, r * step);
                case BF16 -> FloatRows.widenBf16(rows, r * rowBytes, columns, into, r * step);
                case F16 -> FloatRows.widenF16(rows, r * rowBytes, columns, into, r * step);
                case Q4_0, Q8_0, Q6_K -> throw new IllegalArgumentException(w.type() + " has no float rows");
            }
        }
        return into;
    }

    @Override
    public void rmsNorm(Rows x, HostMatrix weight, float epsilon, Rows y, int from, int to, Scratch scratch) {
        int columns = weight.columns();
        int padded = FloatRows.padded(columns);
        MemorySegment w = widened(weight, weight.weights(), 0, scratch);
        float[] row = scratch.floats(padded);
        for (int i = from; i < to; i++) {
            MemorySegment.copy(HostBuffer.segment(x.buffer()), F32, at(x, i), row, 0, columns);
            Arrays.fill(row, columns, padded, 0f);
            float sum = Dots.squares(row, 0, padded, scratch.sums());
            float r = ScalarMath.reciprocalRoot(sum, columns, epsilon);
            scale(row, r, w, padded);
            MemorySegment.copy(row, 0, HostBuffer.segment(y.buffer()), F32, at(y, i), columns);
        }
    }

    /// `x = (x * r) * w`, apart from the methods before so that each stays small enough for the compiler.
    private static void scale(float[] x, float r, MemorySegment w, int padded) {
        for (int k = 0; k < padded; k += LANES) {
            FloatVector.fromArray(F, x, k)
                    .mul(r)
                    .mul(FloatVector.fromMemorySegment(F, w, 4L * k, LE))
                    .intoArray(x, k);
        }
    }

    @Override
    public void add(Rows x, Rows y, int columns, int from, int to) {
        for (int i = from; i < to; i++) {
            MemorySegment sum = row(x, i, columns);
            MemorySegment term = row(y, i, columns);
            int k = 0;
            for (; k <= columns - LANES; k += LANES) {
                FloatVector.fromMemorySegment(F, sum, 4L * k, LE)
                        .add(FloatVector.fromMemorySegment(F, term, 4L * k, LE))
                        .intoMemorySegment(sum, 4L * k, LE);
            }
            for (; k < columns; k++) {
                sum.set(F32, 4L * k, sum.get(F32, 4L * k) + term.get(F32, 4L * k));
            }
        }
    }

    @Override
    public void addBias(Rows x, HostMatrix bias, int from, int to) {
        scalar.addBias(x, bias, from, to);
    }

    @Override
    public void swiglu(Rows gate, Rows up, int columns, Rows y, int from, int to, Scratch scratch) {
        float[] e = scratch.floats(columns);
        for (int i = from; i < to; i++) {
            Exponential.swiglu(row(gate, i, columns), row(up, i, columns), columns, row(y, i, columns), e);
        }
    }

    @Override
    public void clampedSwiglu(Rows gate, Rows up, int columns, float alpha, float limit, Rows y, int from, int to) {
        scalar.clampedSwiglu(gate, up, columns, alpha, limit, y, from, to);
    }

    @Override
    public void scale(Rows x, int columns, float factor, int from, int to) {
        scalar.scale(x, columns, factor, from, to);
    }

    @Override
    public void scaleBySigmoid(Rows x, int columns, Rows logits, int from, int to) {
        scalar.scaleBySigmoid(x, columns, logits, from, to);
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
        scalar.attentionWithin(shape, window, sinks, query, cache, y, from, to, scratch);
    }

    @Override
    public void rope(Rows x, RopeShape shape, MemorySegment positions, MemorySegment table, int from, int to) {
        scalar.rope(x, shape, positions, table, from, to);
    }

    @Override
    public void attention(
            AttentionShape shape, Rows query, CacheView cache, Rows y, int from, int to, Scratch scratch) {
        int perKey = shape.heads() / shape.kvHeads();
        int pair = from;
        while (pair < to) {
            int head = pair % shape.heads();
            int count = Math.min(to - pair, perKey - head % perKey);
            VectorAttention.heads(shape, query, cache, y, pair / shape.heads(), head, count, scratch);
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
        scalar.gate(shape, scores, bias, ids, weights, from, to, scratch);
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
        scalar.accumulate(y, weights, index, columns, sums, poisoned, from, to);
    }

    @Override
    public void combine(MemorySegment sums, int columns, Rows y, int from, int to) {
        scalar.combine(sums, columns, y, from, to);
    }

    private static MemorySegment row(Rows rows, int i, int columns) {
        return Native.slice(HostBuffer.segment(rows.buffer()), at(rows, i), 4L * columns);
    }

    /// The byte where a row begins.
    private static long at(Rows rows, int i) {
        return (rows.offset() + (long) i * rows.stride()) * Float.BYTES;
    }
}
