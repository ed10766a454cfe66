package org.bergfried.worker.kernel.check;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.StoredTensor;

/// Numbers and weights among which are all that are hard to get right.
final class Generated {
    private Generated() {}

    /// Plain numbers, or tiny ones, or numbers among which are zeros and subnormals, huge ones, or NaN and infinity.
    static float[] data(SplitMix random, int count) {
        float[][] spices = {
            {},
            {0f, -0f, 1e-40f, -Float.MIN_VALUE, 1e-31f},
            {3e38f, -2e37f, 1.7e7f, -1.6e7f},
            {Float.NaN, Float.NEGATIVE_INFINITY},
            {}
        };
        int kind = random.below(3) > 0 ? (int) (random.seed() % spices.length) : random.below(spices.length);
        float scale = kind == spices.length - 1 ? 0x1p-128f : 1;
        float[] spice = spices[kind];
        int rarity = new int[] {2, 30, 900}[random.below(3)];
        var values = new float[count];
        for (int i = 0; i < count; i++) {
            boolean plain = spice.length == 0 || random.below(rarity) > 0;
            values[i] = plain ? random.number() * scale : spice[random.below(spice.length)];
        }
        return values;
    }

    /// Any finite bits for 16-bit floats, finite data for float32, any codes with any finite scales otherwise.
    static StoredTensor weights(SplitMix random, ElementType type, int rows, int columns) {
        var bytes = new byte[(int) (rows * type.rowBytes(columns))];
        if (type == ElementType.F32) {
            float[] values = data(random, rows * columns);
            for (int i = 0; i < values.length; i++) {
                values[i] = Float.isFinite(values[i]) ? values[i] : 0.5f;
            }
            MemorySegment.copy(MemorySegment.ofArray(values), 0, MemorySegment.ofArray(bytes), 0, bytes.length);
            return Host.tensor(type, rows, columns, bytes);
        }
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) random.draw();
        }
        keepScalesFinite(type, bytes);
        for (int i = 0; type == ElementType.F8_E4M3 && i < bytes.length; i++) {
            bytes[i] &= (byte) 0xfb; // likewise
        }
        for (int i = 0; type == ElementType.F4_E2M1 && i < bytes.length; i += type.blockBytes()) {
            bytes[i] &= 0x7f; // likewise
        }
        return Host.tensor(type, rows, columns, bytes);
    }

    /// Weights of an integer-coded type whose codes are all as large, or as small, as they can be.
    static StoredTensor extremeWeights(SplitMix random, ElementType type, int rows, int columns) {
        var bytes = new byte[(int) (rows * type.rowBytes(columns))];
        byte[] extremes = {-1, 0, 127, -128};
        Arrays.fill(bytes, extremes[random.below(extremes.length)]);
        keepScalesFinite(type, bytes);
        return Host.tensor(type, rows, columns, bytes);
    }

    private static void keepScalesFinite(ElementType type, byte[] bytes) {
        for (int scaleAt : Host.scaleOffsets(type)) {
            for (int i = scaleAt; i + 1 < bytes.length; i += type.blockBytes()) {
                bytes[i + 1] &= (byte) 0xbf; // clears a bit of the exponent: never all ones
            }
        }
    }
}
