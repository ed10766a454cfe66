package org.bergfried.worker.kernel.vector;

import java.lang.foreign.MemorySegment;
import org.bergfried.worker.kernel.cpu.TileForm;
import org.bergfried.worker.kernel.cpu.TileLayout;

/// Rule C for every integer-coded type without a kernel of its own: a group of 32 columns is first brought to whole
/// bytes ([Unpack]), then multiplied as such ([ByteSums]). One or four activation rows share what was unpacked.
///
/// Prepared activations: `[n, columns / 32, 20]` ints, of which the first 17 are [Q8Kernel]'s, then the bits of sx of
/// all 32 columns, of columns 0 to 15 and of columns 16 to 31; and `[n, columns]` floats, the codes.
final class GroupKernel {
    /// Prepared ints of 32 columns.
    static final int STRIDE = 20;
    /// Bytes of an unpacked group.
    static final int GROUP_BYTES = 1024;

    private GroupKernel() {}

    /// Prepares one row. `q`: its codes; `xs`: written from `at`; `xf`: written from `floatsAt`.
    static void prepare(byte[] q, float[] dx, int columns, int[] xs, int at, float[] xf, int floatsAt) {
        for (int b = 0; b < columns / 32; b++) {
            int to = at + b * STRIDE;
            for (int j = 0; j < 8; j++) {
                int z = 32 * b + 4 * j;
                xs[to + 2 * j] = (q[z] & 0xffff) | (q[z + 2] << 16);
                xs[to + 2 * j + 1] = (q[z + 1] & 0xffff) | (q[z + 3] << 16);
            }
            int first = sum(q, 32 * b);
            int second = sum(q, 32 * b + 16);
            xs[to + 16] = Float.floatToRawIntBits(dx[b]);
            xs[to + 17] = Float.floatToRawIntBits(dx[b] * (first + second));
            xs[to + 18] = Float.floatToRawIntBits(dx[b] * first);
            xs[to + 19] = Float.floatToRawIntBits(dx[b] * second);
        }
        for (int k = 0; k < columns; k++) {
            xf[floatsAt + k] = q[k];
        }
    }

    private static int sum(byte[] q, int from) {
        int sum = 0;
        for (int k = from; k < from + 16; k++) {
            sum += q[k];
        }
        return sum;
    }

    /// `count` (1 or 4) activation rows with 32 weight rows. `tile`: `groups` times 32 columns; `xs`, `xf`: prepared,
    /// from `at` and `floatsAt`; `bytes`: 1024 of working memory; `work`: as in [Units].
    static void multiply(
            TileForm form,
            MemorySegment tile,
            int groups,
            int[] xs,
            int at,
            float[] xf,
            int floatsAt,
            int count,
            MemorySegment bytes,
            float[] work) {
        int unitsPerGroup = 32 / form.unitColumns();
        for (int from = 0; from < groups; from += 8) {
            int segment = Math.min(groups - from, 8);
            GroupScales.head(form, tile, from, work);
            for (int g = 0; g < segment; g++) {
                int group = from + g;
                Unpack.group(form, tile, form.groupAt(group), bytes);
                for (int unit = 0; unit < unitsPerGroup; unit++) {
                    int u = g * unitsPerGroup + unit;
                    int word = unit * 4;
                    int words = 8 / unitsPerGroup;
                    int prepared = at + group * STRIDE;
                    int to = Units.SUMS + 4 * TileLayout.ROWS * u;
                    if (count == 4) {
                        ByteSums.four(bytes, word, words, xf, floatsAt + 32 * group, 32 * groups, work, to);
                    } else {
                        ByteSums.one(bytes, word, words, xs, prepared, work, to);
                    }
                    GroupScales.unit(form, tile, group, unit, work, u);
                    activationScales(
                            xs, prepared, groups * STRIDE, unitsPerGroup == 1 ? 17 : 18 + unit, count, work, u);
                }
            }
            if (form.hasOffset()) {
                Units.addSegmentWithOffsets(work, count, segment * unitsPerGroup, from == 0);
            } else {
                Units.addSegment(work, count, segment * unitsPerGroup, from == 0);
            }
        }
    }

    private static void activationScales(int[] xs, int at, int stride, int sumAt, int count, float[] work, int u) {
        for (int c = 0; c < count; c++) {
            work[Units.SCALES + 4 * u + c] = Float.intBitsToFloat(xs[at + c * stride + 16]);
            work[Units.SCALED_SUMS + 4 * u + c] = Float.intBitsToFloat(xs[at + c * stride + sumAt]);
        }
    }
}
