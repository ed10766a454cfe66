package org.bergfried.worker.kernel.scalar;

import java.util.Arrays;

/// Softmax of rule E: sums in segments of 256.
final class Softmax {
    private Softmax() {}

    /// Replaces `x[0..n)` by its softmax. `s`: 32 floats of working memory.
    static void inPlace(float[] x, int n, float[] s) {
        float m = x[0];
        for (int k = 1; k < n; k++) {
            m = x[k] > m ? x[k] : m;
        }
        float total = 0;
        for (int from = 0; from < n; from += 256) {
            Arrays.fill(s, 0f);
            for (int k = from; k < Math.min(n, from + 256); k++) {
                x[k] = ScalarMath.exp(x[k] - m);
                s[k % 32] = s[k % 32] + x[k];
            }
            float part = ScalarMath.tree(s);
            total = from == 0 ? part : total + part;
        }
        for (int k = 0; k < n; k++) {
            x[k] = x[k] / total;
        }
    }
}
