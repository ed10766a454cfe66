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
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import org.bergfried.worker.kernel.cpu.HostBuffer;
import org.bergfried.worker.kernel.scalar.ScalarMath;

/// Rule E: exp, and what is built on it.
final class Exponential {
    private Exponential() {}

    /// exp of each lane, the same operations as [ScalarMath#exp]. Small enough to be inlined where it is called.
    private static FloatVector exp(FloatVector x) {
        VectorMask<Float> alive = x.compare(GT, -104f);
        VectorMask<Float> nan = x.test(IS_NAN);
        FloatVector z = FloatVector.zero(F).blend(x, alive).min(89f);
        FloatVector n = z.fma(FloatVector.broadcast(F, 0x1.715476p0f), FloatVector.broadcast(F, 0x1.8p23f))
                .sub(0x1.8p23f);
        FloatVector r = n.fma(FloatVector.broadcast(F, -0x1.62e4p-1f), z);
        r = n.fma(FloatVector.broadcast(F, -0x1.7f7d1cp-20f), r);
        FloatVector p = FloatVector.broadcast(F, 0x1.694p-10f);
        p = p.fma(r, FloatVector.broadcast(F, 0x1.125edcp-7f));
        p = p.fma(r, FloatVector.broadcast(F, 0x1.555b5ap-5f));
        p = p.fma(r, FloatVector.broadcast(F, 0x1.55545p-3f));
        p = p.fma(r, FloatVector.broadcast(F, 0x1.fffff6p-2f));
        p = p.fma(r, FloatVector.broadcast(F, 1f));
        p = p.fma(r, FloatVector.broadcast(F, 1f));
        IntVector whole = (IntVector) n.convertShape(F2I, I, 0);
        IntVector a = whole.lanewise(ASHR, 1);
        IntVector b = whole.sub(a);
        p = p.mul(a.add(127).lanewise(LSHL, 23).reinterpretAsFloats())
                .mul(b.add(127).lanewise(LSHL, 23).reinterpretAsFloats());
        return FloatVector.zero(F).blend(p, alive).blend(x, nan);
    }

    /// `y = silu(gate) * up`, three rows of `columns` floats; `y` may be `gate`.
    static void swiglu(MemorySegment gate, MemorySegment up, int columns, MemorySegment y) {
        int k = 0;
        for (; k <= columns - LANES; k += LANES) {
            FloatVector g = FloatVector.fromMemorySegment(F, gate, 4L * k, LE);
            FloatVector u = FloatVector.fromMemorySegment(F, up, 4L * k, LE);
            g.div(exp(g.lanewise(VectorOperators.NEG)).add(1f)).mul(u).intoMemorySegment(y, 4L * k, LE);
        }
        for (; k < columns; k++) {
            float silu = ScalarMath.silu(gate.get(HostBuffer.F32, 4L * k));
            y.set(HostBuffer.F32, 4L * k, silu * up.get(HostBuffer.F32, 4L * k));
        }
    }

    /// Replaces `x[at .. at + n)` by the softmax of its products with `scale`. The array goes on to a multiple of 32
    /// from `at`; what is beyond `n` is overwritten with zeros. `work`: 16 floats.
    static void softmax(float[] x, int at, int n, float scale, float[] work) {
        float m = scaledMaximum(x, at, n, scale);
        int padded = FloatRows.padded(n);
        int k = 0;
        for (; k <= n - LANES; k += LANES) {
            exp(FloatVector.fromArray(F, x, at + k).sub(m)).intoArray(x, at + k);
        }
        for (; k < n; k++) {
            x[at + k] = ScalarMath.exp(x[at + k] - m);
        }
        for (; k < padded; k++) {
            x[at + k] = 0; // adds nothing to a sum
        }
        float total = 0;
        for (int from = 0; from < padded; from += 256) {
            float part = sum(x, at + from, Math.min(256, padded - from), work);
            total = from == 0 ? part : total + part;
        }
        for (k = 0; k < padded; k += LANES) {
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
