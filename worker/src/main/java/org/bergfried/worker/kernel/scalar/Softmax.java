package org.bergfried.worker.kernel.scalar;

import java.util.Arrays;

/// Softmax of rule E: sums in segments of 256.
final class Softmax {
    private static final int SEGMENT = 256;

    private Softmax() {}

    /// Replaces `x[0..n)` by its softmax. `s`: 32 floats of working memory.
    static void inPlace(float[] x, int n, float[] s) {
        inPlace(x, 0, n, Float.NEGATIVE_INFINITY, s);
    }

    /// Replaces `x[first..end)` by its softmax; segments and partial sums go by the index in `x`, and `sink` takes part
    /// in the maximum and comes last in the sum. Minus infinity is no sink: it adds +0.
    static void inPlace(float[] x, int first, int end, float sink, float[] s) {
        float m = x[first];
        for (int k = first + 1; k < end; k++) {
            m = x[k] > m ? x[k] : m;
        }
        m = sink > m ? sink : m;
        float total = 0;
        for (int from = first - first % SEGMENT; from < end; from += SEGMENT) {
            Arrays.fill(s, 0f);
            for (int k = Math.max(first, from); k < Math.min(end, from + SEGMENT); k++) {
                x[k] = ScalarMath.exp(x[k] - m);
                s[k % 32] = s[k % 32] + x[k];
            }
            float part = ScalarMath.tree(s);
            total = from <= first ? part : total + part;
        }
        total = total + ScalarMath.exp(sink - m);
        for (int k = first; k < end; k++) {
            x[k] = x[k] / total;
        }
    }
}
