package org.bergfried.worker.kernel.vector;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.F2I;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.IS_NAN;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static org.bergfried.worker.kernel.vector.Width.F;
import static org.bergfried.worker.kernel.vector.Width.I;
import static org.bergfried.worker.kernel.vector.Width.LANES;
import static org.bergfried.worker.kernel.vector.Width.LE;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import org.bergfried.worker.kernel.cpu.HostBuffer;
import org.bergfried.worker.kernel.scalar.ScalarMath;

/// Rule E: exp, and what is built on it.
final class Exponential {
    private Exponential() {}

    /// `x = exp(x - m)` for `x[at .. at + n)`, the same operations as [ScalarMath#exp].
    private static void exp(float[] x, int at, int n, float m) {
        int k = 0;
        for (; k <= n - LANES; k += LANES) {
            FloatVector v = FloatVector.fromArray(F, x, at + k).sub(m);
            VectorMask<Float> alive = v.compare(GT, -104f);
            FloatVector z = FloatVector.zero(F).blend(v, alive).min(89f);
            FloatVector whole = z.fma(FloatVector.broadcast(F, 0x1.715476p0f), FloatVector.broadcast(F, 0x1.8p23f))
                    .sub(0x1.8p23f);
            FloatVector r = whole.fma(FloatVector.broadcast(F, -0x1.62e4p-1f), z);
            r = whole.fma(FloatVector.broadcast(F, -0x1.7f7d1cp-20f), r);
            FloatVector p = FloatVector.broadcast(F, 0x1.694p-10f);
            p = p.fma(r, FloatVector.broadcast(F, 0x1.125edcp-7f));
            p = p.fma(r, FloatVector.broadcast(F, 0x1.555b5ap-5f));
            p = p.fma(r, FloatVector.broadcast(F, 0x1.55545p-3f));
            p = p.fma(r, FloatVector.broadcast(F, 0x1.fffff6p-2f));
            p = p.fma(r, FloatVector.broadcast(F, 1f));
            p = p.fma(r, FloatVector.broadcast(F, 1f));
            IntVector exponent = (IntVector) whole.convertShape(F2I, I, 0);
            IntVector a = exponent.lanewise(ASHR, 1);
            IntVector b = exponent.sub(a);
            p = p.mul(a.add(127).lanewise(LSHL, 23).reinterpretAsFloats())
                    .mul(b.add(127).lanewise(LSHL, 23).reinterpretAsFloats());
            FloatVector.zero(F).blend(p, alive).blend(v, v.test(IS_NAN)).intoArray(x, at + k);
        }
        for (; k < n; k++) {
            x[at + k] = ScalarMath.exp(x[at + k] - m);
        }
    }

    /// `y = silu(gate) * up`, three rows of `columns` floats; `y` may be `gate`. `e`: `[columns]` of working memory.
    static void swiglu(MemorySegment gate, MemorySegment up, int columns, MemorySegment y, float[] e) {
        negate(gate, columns, e);
        exp(e, 0, columns, 0f);
        int k = 0;
        for (; k <= columns - LANES; k += LANES) {
            FloatVector g = FloatVector.fromMemorySegment(F, gate, 4L * k, LE);
            FloatVector u = FloatVector.fromMemorySegment(F, up, 4L * k, LE);
            g.div(FloatVector.fromArray(F, e, k).add(1f)).mul(u).intoMemorySegment(y, 4L * k, LE);
        }
        for (; k < columns; k++) {
            float silu = gate.get(HostBuffer.F32, 4L * k) / (1f + e[k]);
            y.set(HostBuffer.F32, 4L * k, silu * up.get(HostBuffer.F32, 4L * k));
        }
    }

    private static void negate(MemorySegment x, int columns, float[] y) {
        for (int k = 0; k < columns; k++) {
            y[k] = -x.get(HostBuffer.F32, 4L * k);
        }
    }

    /// Replaces `x[at .. at + n)` by the softmax of its products with `scale`. The array goes on to a multiple of 32
    /// from `at`; what is beyond `n` is overwritten with zeros. `work`: 16 floats.
    static void softmax(float[] x, int at, int n, float scale, float[] work) {
        float m = scaledMaximum(x, at, n, scale);
        int padded = FloatRows.padded(n);
        exp(x, at, n, m);
        Arrays.fill(x, at + n, at + padded, 0f); // adds nothing to a sum
        float total = 0;
        for (int from = 0; from < padded; from += 256) {
            float part = sum(x, at + from, Math.min(256, padded - from), work);
            total = from == 0 ? part : total + part;
        }
        for (int k = 0; k < padded; k += LANES) {
            FloatVector.fromArray(F, x, at + k).div(total).intoArray(x, at + k);
        }
    }

    private static float scaledMaximum(float[] x, int at, int n, float scale) {
        FloatVector most = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
        int k = 0;
        for (; k <= n - LANES; k += LANES) {
            FloatVector v = FloatVector.fromArray(F, x, at + k).mul(scale);
            v.intoArray(x, at + k);
            most = most.max(v);
        }
        float m = most.reduceLanes(VectorOperators.MAX);
        for (; k < n; k++) {
            x[at + k] = x[at + k] * scale;
            m = Math.max(m, x[at + k]);
        }
        return m;
    }

    /// The sum of rule D without weights over at most 256 columns, a multiple of 32.
    private static float sum(float[] x, int at, int columns, float[] work) {
        for (int j = 0; j < 16; j += LANES) {
            FloatVector low = FloatVector.zero(F);
            FloatVector high = FloatVector.zero(F);
            for (int k = at + j; k < at + columns; k += 32) {
                low = low.add(FloatVector.fromArray(F, x, k));
                high = high.add(FloatVector.fromArray(F, x, k + 16));
            }
            low.add(high).intoArray(work, j);
        }
        return Dots.tree16(work, 0);
    }
}
