package org.bergfried.worker.expert;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.bergfried.worker.model.TrunkTensors.SwiGlu;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.StoredTensor;

/// The obvious way to compute an expert: one row, one expert, one output at a time, in the letters of ARITHMETIC.md.
/// Shares no code with the engine.
public final class Twin {
    private Twin() {}

    /// A row as rule B codes it.
    public record Row(float[] values, byte[] q, float[] scales) {
        public static Row of(float[] values) {
            byte[] q = new byte[values.length];
            float[] scales = new float[values.length / 32];
            for (int b = 0; b < scales.length; b++) {
                quantise(values, b * 32, q, scales, b);
            }
            return new Row(values, q, scales);
        }
    }

    private static void quantise(float[] x, int from, byte[] q, float[] scales, int block) {
        float m = 0;
        boolean finite = true;
        for (int k = from; k < from + 32; k++) {
            finite &= Float.isFinite(x[k]);
            m = Math.max(m, Math.abs(x[k]));
        }
        if (!finite) {
            scales[block] = Float.NaN;
        } else if (m >= 0x1p-100f) {
            float dx = m / 127;
            float r = 1 / dx;
            for (int k = from; k < from + 32; k++) {
                q[k] = (byte) (int) Math.rint(x[k] * r);
            }
            scales[block] = dx;
        }
    }

    /// Adds an expert's weighted output to `sums` (rule F); true if a term poisons the row.
    public static boolean add(SwiGlu expert, Row row, float weight, long[] sums) {
        float[] gate = multiply(expert.gateProj(), row);
        float[] up = multiply(expert.upProj(), row);
        float[] inner = new float[gate.length];
        for (int i = 0; i < inner.length; i++) {
            inner[i] = gate[i] / (1 + exp(-gate[i])) * up[i];
        }
        float[] output = multiply(expert.downProj(), Row.of(inner));
        boolean poison = false;
        for (int i = 0; i < output.length; i++) {
            float v = weight * output[i];
            if (Math.abs(v) < 0x1p24f) {
                sums[i] += (long) Math.rint(v * 0x1p32);
            } else {
                poison = true; // NaN too
            }
        }
        return poison;
    }

    private static float[] multiply(StoredTensor w, Row row) {
        float[] y = new float[w.rows()];
        for (int r = 0; r < y.length; r++) {
            y[r] = w.type() == ElementType.F32 ? ruleD(w, r, row.values) : ruleC(w, r, row);
        }
        return y;
    }

    private static float ruleD(StoredTensor w, int r, float[] x) {
        float[] s = new float[32];
        for (int k = 0; k < x.length; k++) {
            float weight = w.bytes().get(ValueLayout.JAVA_FLOAT_UNALIGNED, ((long) r * x.length + k) * 4);
            s[k % 32] = Math.fma(weight, x[k], s[k % 32]);
        }
        for (int h = 16; h > 0; h /= 2) {
            for (int j = 0; j < h; j++) {
                s[j] = s[j] + s[j + h];
            }
        }
        return s[0];
    }

    private static float ruleC(StoredTensor w, int r, Row row) {
        int units = row.q.length / 32;
        float y = 0;
        for (int segment = 0; segment * 8 < units; segment++) {
            float acc = 0;
            for (int unit = segment * 8; unit < Math.min(units, segment * 8 + 8); unit++) {
                MemorySegment block = w.bytes().asSlice(((long) r * units + unit) * 34, 34);
                int sum = 0;
                for (int k = 0; k < 32; k++) {
                    sum += block.get(ValueLayout.JAVA_BYTE, 2 + k) * row.q[unit * 32 + k];
                }
                float d = Float.float16ToFloat(block.get(ValueLayout.JAVA_SHORT_UNALIGNED, 0));
                acc = Math.fma((float) sum, d * row.scales[unit], acc);
            }
            y = segment == 0 ? acc : y + acc;
        }
        return y;
    }

    /// Rule E.
    private static float exp(float argument) {
        if (Float.isNaN(argument) || argument <= -104) {
            return Float.isNaN(argument) ? Float.NaN : 0;
        }
        float x = Math.min(argument, 89);
        float n = Math.fma(x, 0x1.715476p0f, 0x1.8p23f) - 0x1.8p23f;
        float r = Math.fma(n, -0x1.62e4p-1f, x);
        r = Math.fma(n, -0x1.7f7d1cp-20f, r);
        float p = 0x1.694p-10f;
        for (float c : new float[] {0x1.125edcp-7f, 0x1.555b5ap-5f, 0x1.55545p-3f, 0x1.fffff6p-2f, 1, 1}) {
            p = Math.fma(p, r, c);
        }
        int a = (int) n >> 1;
        int b = (int) n - a;
        return p * power(a) * power(b);
    }

    private static float power(int exponent) {
        return Float.intBitsToFloat((exponent + 127) << 23);
    }
}
