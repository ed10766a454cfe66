package org.bergfried.worker.kernel.scalar;

import static org.bergfried.worker.kernel.cpu.HostBuffer.F32;
import static org.bergfried.worker.kernel.cpu.HostBuffer.I32;
import static org.bergfried.worker.kernel.cpu.HostBuffer.I64;

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
import org.bergfried.worker.tensor.Rows;
import org.jspecify.annotations.Nullable;

/// The oracle: every operation as ARITHMETIC.md states it, one number after the other.
public final class ScalarKernels implements Kernels {
    @Override
    public String name() {
        return "scalar";
    }

    @Override
    public void embed(HostMatrix table, MemorySegment ids, Rows y, int from, int to, Scratch scratch) {
        for (int i = from; i < to; i++) {
            Products.embedRow(table, ids.get(I32, 4L * i), HostBuffer.segment(y.buffer()), at(y, i), scratch.ints(32));
        }
    }

    @Override
    public void quantise(Rows x, Codes codes, int from, int to, Scratch scratch) {
        MemorySegment q = HostBuffer.segment(codes.q());
        MemorySegment scales = HostBuffer.segment(codes.scales());
        int columns = codes.columns();
        for (int i = from; i < to; i++) {
            long qAt = (long) i * columns;
            Products.quantiseRow(HostBuffer.segment(x.buffer()), at(x, i), columns, q, qAt, scales, qAt / 32 * 4);
        }
    }

    @Override
    public void multiply(HostMatrix w, Rows x, Codes codes, int n, Rows y, int from, int to, Scratch scratch) {
        MemorySegment in = HostBuffer.segment(x.buffer());
        MemorySegment out = HostBuffer.segment(y.buffer());
        for (int i = 0; i < n; i++) {
            for (int row = from; row < to; row++) {
                float dot = w.type().integerCoded()
                        ? Products.codedDot(w, row, codes, i, scratch)
                        : Products.floatDot(w, row, in, at(x, i), scratch);
                out.set(F32, at(y, i) + 4L * row, dot);
            }
        }
    }

    @Override
    public void rmsNorm(Rows x, HostMatrix weight, float epsilon, Rows y, int from, int to, Scratch scratch) {
        MemorySegment in = HostBuffer.segment(x.buffer());
        MemorySegment out = HostBuffer.segment(y.buffer());
        int columns = weight.columns();
        for (int i = from; i < to; i++) {
            long xAt = at(x, i);
            long yAt = at(y, i);
            float sum = Products.floatDot(in, xAt, in, xAt, columns, scratch.sums());
            float r = ScalarMath.reciprocalRoot(sum, columns, epsilon);
            for (int k = 0; k < columns; k++) {
                out.set(F32, yAt + 4L * k, in.get(F32, xAt + 4L * k) * r * weight.floatAt(0, k));
            }
        }
    }

    @Override
    public void add(Rows x, Rows y, int columns, int from, int to) {
        MemorySegment sum = HostBuffer.segment(x.buffer());
        MemorySegment term = HostBuffer.segment(y.buffer());
        for (int i = from; i < to; i++) {
            for (int k = 0; k < columns; k++) {
                long xAt = at(x, i) + 4L * k;
                sum.set(F32, xAt, sum.get(F32, xAt) + term.get(F32, at(y, i) + 4L * k));
            }
        }
    }

    @Override
    public void addBias(Rows x, HostMatrix bias, int from, int to) {
        MemorySegment sum = HostBuffer.segment(x.buffer());
        for (int i = from; i < to; i++) {
            for (int k = 0; k < bias.columns(); k++) {
                long xAt = at(x, i) + 4L * k;
                sum.set(F32, xAt, sum.get(F32, xAt) + bias.floatAt(0, k));
            }
        }
    }

    @Override
    public void swiglu(Rows gate, Rows up, int columns, Rows y, int from, int to, Scratch scratch) {
        MemorySegment gates = HostBuffer.segment(gate.buffer());
        MemorySegment ups = HostBuffer.segment(up.buffer());
        MemorySegment out = HostBuffer.segment(y.buffer());
        for (int i = from; i < to; i++) {
            for (int k = 0; k < columns; k++) {
                float silu = ScalarMath.silu(gates.get(F32, at(gate, i) + 4L * k));
                out.set(F32, at(y, i) + 4L * k, silu * ups.get(F32, at(up, i) + 4L * k));
            }
        }
    }

    @Override
    public void clampedSwiglu(Rows gate, Rows up, int columns, float alpha, float limit, Rows y, int from, int to) {
        MemorySegment gates = HostBuffer.segment(gate.buffer());
        MemorySegment ups = HostBuffer.segment(up.buffer());
        MemorySegment out = HostBuffer.segment(y.buffer());
        for (int i = from; i < to; i++) {
            for (int k = 0; k < columns; k++) {
                float g = Math.min(gates.get(F32, at(gate, i) + 4L * k), limit);
                float u = Math.max(Math.min(ups.get(F32, at(up, i) + 4L * k), limit), -limit);
                out.set(F32, at(y, i) + 4L * k, (u + 1f) * (g * ScalarMath.sigmoid(g * alpha)));
            }
        }
    }

    @Override
    public void scale(Rows x, int columns, float factor, int from, int to) {
        MemorySegment rows = HostBuffer.segment(x.buffer());
        for (int i = from; i < to; i++) {
            for (int k = 0; k < columns; k++) {
                long xAt = at(x, i) + 4L * k;
                rows.set(F32, xAt, rows.get(F32, xAt) * factor);
            }
        }
    }

    @Override
    public void scaleBySigmoid(Rows x, int columns, Rows logits, int from, int to) {
        for (int i = from; i < to; i++) {
            float logit = HostBuffer.segment(logits.buffer()).get(F32, at(logits, i));
            scale(x, columns, ScalarMath.sigmoid(logit), i, i + 1);
        }
    }

    @Override
    public void rope(Rows x, RopeShape shape, MemorySegment positions, MemorySegment table, int from, int to) {
        MemorySegment rows = HostBuffer.segment(x.buffer());
        int half = shape.rotaryColumns() / 2;
        for (int i = from; i < to; i++) {
            long turns = (long) positions.get(I32, 4L * i) * half;
            for (int head = 0; head < shape.heads(); head++) {
                long headAt = at(x, i) + 4L * head * shape.headStride();
                for (int pair = 0; pair < half; pair++) {
                    float c = table.get(F32, (turns + pair) * 8);
                    float s = table.get(F32, (turns + pair) * 8 + 4);
                    long at0 = headAt + 4L * (shape.interleaved() ? 2 * pair : pair);
                    long at1 = at0 + 4L * (shape.interleaved() ? 1 : half);
                    float x0 = rows.get(F32, at0);
                    float x1 = rows.get(F32, at1);
                    rows.set(F32, at0, Math.fma(x0, c, -(x1 * s)));
                    rows.set(F32, at1, Math.fma(x1, c, x0 * s));
                }
            }
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
        for (int pair = from; pair < to; pair++) {
            int head = pair % shape.heads();
            float sink = sinks == null ? Float.NEGATIVE_INFINITY : sinks.floatAt(0, head);
            Attention.head(shape, window, sink, query, cache, y, pair / shape.heads(), head, scratch);
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
        MemorySegment in = HostBuffer.segment(scores.buffer());
        float[] score = scratch.floats(shape.experts());
        float[] choice = scratch.moreFloats(shape.experts());
        int[] open = scratch.ints(shape.experts());
        for (int i = from; i < to; i++) {
            MemorySegment.copy(in, F32, at(scores, i), score, 0, shape.experts());
            Gates.score(shape, score, scratch.sums());
            Gates.addBias(shape, score, bias, choice);
            Gates.openGroups(shape, choice, open);
            chooseExperts(shape, score, choice, open, ids, weights, 4L * i * shape.chosen(), scratch.sums());
        }
    }

    private static void chooseExperts(
            GateShape shape,
            float[] score,
            float[] choice,
            int[] open,
            MemorySegment ids,
            MemorySegment weights,
            long rowAt,
            float[] s) {
        for (int n = 0; n < shape.chosen(); n++) {
            int best = Gates.takeBest(shape, choice, open);
            ids.set(I32, rowAt + 4L * n, best);
        }
        for (int n = 0; n < shape.chosen(); n++) {
            choice[n] = score[ids.get(I32, rowAt + 4L * n)];
        }
        Gates.weigh(shape, choice, s); // what was compared is not needed any more
        MemorySegment.copy(choice, 0, weights, F32, rowAt, shape.chosen());
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
        MemorySegment in = HostBuffer.segment(y.buffer());
        for (int i = from; i < to; i++) {
            float weight = weights.get(F32, 4L * i);
            long row = index.get(I32, 4L * i);
            for (int k = 0; k < columns; k++) {
                float v = weight * in.get(F32, at(y, i) + 4L * k);
                long sumAt = (row * columns + k) * 8;
                if (ScalarMath.poisons(v)) {
                    poisoned.set(I32, row * 4, 1);
                } else {
                    sums.set(I64, sumAt, sums.get(I64, sumAt) + ScalarMath.fix(v));
                }
            }
        }
    }

    @Override
    public void combine(MemorySegment sums, int columns, Rows y, int from, int to) {
        MemorySegment out = HostBuffer.segment(y.buffer());
        for (int i = from; i < to; i++) {
            for (int k = 0; k < columns; k++) {
                long sum = sums.get(I64, ((long) i * columns + k) * 8);
                out.set(F32, at(y, i) + 4L * k, (float) sum * ScalarMath.FIXED_UNIT);
            }
        }
    }

    /// The byte where a row begins.
    private static long at(Rows rows, int i) {
        return (rows.offset() + (long) i * rows.stride()) * Float.BYTES;
    }
}
