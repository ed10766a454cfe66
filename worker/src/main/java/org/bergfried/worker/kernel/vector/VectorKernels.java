package org.bergfried.worker.kernel.vector;

import static jdk.incubator.vector.VectorOperators.MAX;
import static org.bergfried.worker.kernel.cpu.HostBuffer.F32;
import static org.bergfried.worker.kernel.cpu.HostBuffer.I32;
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
import org.bergfried.worker.kernel.scalar.ScalarKernels;
import org.bergfried.worker.kernel.scalar.ScalarMath;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.Rows;
import org.jspecify.annotations.Nullable;

/// The kernels in vectors. What takes no time in a step (integer-coded embeddings, the choice of experts, biases, the
/// way back from fixed point) is left to the scalar kernels.
public final class VectorKernels implements Kernels {
    /// Bits of a vector on this machine.
    public static int vectorBits() {
        return Width.BITS;
    }

    private final Kernels scalar = new ScalarKernels();

    @Override
    public String name() {
        return "vector";
    }

    @Override
    public void embed(HostMatrix table, MemorySegment ids, Rows y, int from, int to, Scratch scratch) {
        if (table.type().integerCoded() || table.type() == ElementType.F8_E4M3) {
            scalar.embed(table, ids, y, from, to, scratch);
            return;
        }
        int columns = table.columns();
        long rowBytes = table.type().rowBytes(columns);
        for (int i = from; i < to; i++) {
            MemorySegment row = Native.slice(table.weights(), ids.get(I32, 4L * i) * rowBytes, rowBytes);
            MemorySegment floats = table.type() == ElementType.F32 ? row : FloatRows.widened(table, row, 0, scratch);
            MemorySegment.copy(floats, 0, HostBuffer.segment(y.buffer()), at(y, i), 4L * columns);
        }
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
        VectorProducts.reserve(w, n, shared);
    }

    @Override
    public void prepare(HostMatrix w, Rows x, Codes codes, int n, int from, int to, Scratch scratch) {
        VectorProducts.prepare(w, x, codes, from, to, scratch);
    }

    @Override
    public void multiply(HostMatrix w, Rows x, Codes codes, int n, Rows y, int from, int to, Scratch scratch) {
        VectorProducts.multiply(w, n, y, from, to, scratch);
    }

    @Override
    public void rmsNorm(Rows x, HostMatrix weight, float epsilon, Rows y, int from, int to, Scratch scratch) {
        int columns = weight.columns();
        int padded = FloatRows.padded(columns);
        MemorySegment stored = Native.slice(weight.weights(), 0, weight.type().rowBytes(columns));
        MemorySegment w = FloatRows.widened(weight, stored, 0, scratch);
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
        int half = shape.rotaryColumns() / 2;
        int columns = (shape.heads() - 1) * shape.headStride() + shape.rotaryColumns();
        for (int i = from; i < to; i++) {
            MemorySegment heads = row(x, i, columns);
            MemorySegment turns = Native.slice(table, 8L * positions.get(I32, 4L * i) * half, 8L * half);
            for (int head = 0; head < shape.heads(); head++) {
                int headAt = 4 * head * shape.headStride();
                if (shape.interleaved()) {
                    Rotation.neighbours(heads, headAt, turns, half);
                } else {
                    Rotation.halves(heads, headAt, turns, half);
                }
            }
        }
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
        for (int i = from; i < to; i++) {
            int target = index.get(I32, 4L * i);
            MemorySegment sum = Native.slice(sums, 8L * target * columns, 8L * columns);
            if (!FixedPoint.add(row(y, i, columns), weights.get(F32, 4L * i), columns, sum)) {
                poisoned.set(I32, 4L * target, 1);
            }
        }
    }

    @Override
    public void combine(MemorySegment sums, int columns, Rows y, int from, int to) {
        scalar.combine(sums, columns, y, from, to);
    }

    private static MemorySegment row(Rows rows, int i, int columns) {
        return Native.slice(HostBuffer.segment(rows.buffer()), at(rows, i), 4L * columns);
    }

    /// The byte where a row begins.
    static long at(Rows rows, int i) {
        return (rows.offset() + (long) i * rows.stride()) * Float.BYTES;
    }
}
