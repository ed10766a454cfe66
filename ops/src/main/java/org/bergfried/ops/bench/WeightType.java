package org.bergfried.ops.bench;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;

/// How weights are coded in a synthetic file, and random blocks whose weights have the spread of a trained matrix:
/// mean about 0, standard deviation about 1 / sqrt(columns).
enum WeightType {
    /// Plain floats.
    F32(0, 1, 4),
    /// 4 bits, one scale for 32.
    Q4_0(2, 32, 18),
    /// 5 bits, one scale for 32: what a file of Q4_K has where the columns are no multiple of 256.
    Q5_0(6, 32, 22),
    /// 8 bits, one scale for 32.
    Q8_0(8, 32, 34),
    /// 4 bits, scales and minima of 32 in superblocks of 256.
    Q4_K(12, 256, 144),
    /// 6 bits, scales of 16 in superblocks of 256.
    Q6_K(14, 256, 210);

    private final int ggufCode;
    private final int blockWeights;
    private final int blockBytes;

    WeightType(int ggufCode, int blockWeights, int blockBytes) {
        this.ggufCode = ggufCode;
        this.blockWeights = blockWeights;
        this.blockBytes = blockBytes;
    }

    int ggufCode() {
        return ggufCode;
    }

    int blockWeights() {
        return blockWeights;
    }

    int blockBytes() {
        return blockBytes;
    }

    /// This type, or the one that takes its place where a row cannot be divided into its blocks (as in llama.cpp).
    WeightType forColumns(int columns) {
        if (columns % blockWeights == 0) {
            return this;
        }
        return switch (this) {
            case Q4_K -> Q5_0;
            case Q6_K -> Q8_0;
            default -> throw new IllegalArgumentException(columns + " columns cannot be coded as " + this);
        };
    }

    /// Fills `length` bytes, whole blocks, with random weights.
    ///
    /// @param columns of the matrix, which decide the spread.
    /// @param ones    1.0 instead, for norms; F32 only.
    void fill(byte[] bytes, int length, int columns, boolean ones, SplittableRandom random) {
        var view = ByteBuffer.wrap(bytes, 0, length).order(ByteOrder.LITTLE_ENDIAN);
        float spread = (float) (1 / Math.sqrt(columns));
        if (this == F32) {
            while (view.hasRemaining()) {
                view.putFloat(ones ? 1 : spread * (float) random.nextDouble(-1.7, 1.7));
            }
            return;
        }
        for (int i = 0; i + Long.BYTES <= length; i += Long.BYTES) {
            view.putLong(i, random.nextLong());
        }
        for (int block = 0; block < length; block += blockBytes) {
            scale(view, block, spread);
        }
    }

    /// Puts the scales of a block of random codes. The divisors are the standard deviations of the codes.
    private void scale(ByteBuffer view, int block, float spread) {
        switch (this) {
            case F32 -> throw new IllegalStateException("plain floats have no scale");
            case Q4_0 -> view.putShort(block, Float.floatToFloat16(spread / 4.6f));
            case Q5_0 -> view.putShort(block, Float.floatToFloat16(spread / 9.2f));
            case Q8_0 -> view.putShort(block, Float.floatToFloat16(spread / 74f));
            case Q4_K -> {
                float scale = spread / 280f;
                view.putShort(block, Float.floatToFloat16(scale));
                view.putShort(block + Short.BYTES, Float.floatToFloat16(7.5f * scale));
            }
            case Q6_K -> view.putShort(block + 208, Float.floatToFloat16(spread / 1370f));
        }
    }
}
