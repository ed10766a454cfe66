package org.bergfried.worker.model;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.bergfried.worker.model.RopeSpec.Scaling;

/// Cosines and sines of rotary embeddings (ARITHMETIC.md rule G): in double with StrictMath, rounded to float32 once,
/// so that they are the same bits on every machine. Formulas of YaRN and Llama 3 are Transformers'.
public final class RopeTable {
    /// Bytes of a pair of cosine and sine.
    private static final int PAIR_BYTES = 2 * Float.BYTES;

    private RopeTable() {}

    /// The table of positions 0 to `positions - 1`: float32 `[positions, rope.columns / 2, 2]` (cos, sin).
    public static MemorySegment allocate(RopeSpec rope, int positions, Arena arena) {
        double[] frequencies = frequencies(rope);
        double factor = attentionFactor(rope.scaling());
        long rowBytes = (long) frequencies.length * PAIR_BYTES;
        MemorySegment table = arena.allocate(positions * rowBytes, 64);
        for (int position = 0; position < positions; position++) {
            for (int i = 0; i < frequencies.length; i++) {
                double angle = position * frequencies[i];
                long at = position * rowBytes + (long) i * PAIR_BYTES;
                table.set(ValueLayout.JAVA_FLOAT, at, (float) (StrictMath.cos(angle) * factor));
                table.set(ValueLayout.JAVA_FLOAT, at + Float.BYTES, (float) (StrictMath.sin(angle) * factor));
            }
        }
        return table;
    }

    /// Radians per position of each pair of columns, `[rope.columns / 2]`.
    static double[] frequencies(RopeSpec rope) {
        var frequencies = new double[rope.columns() / 2];
        for (int i = 0; i < frequencies.length; i++) {
            double plain = StrictMath.pow(rope.theta(), -2.0 * i / rope.columns());
            frequencies[i] = switch (rope.scaling()) {
                case Scaling.None() -> plain;
                case Scaling.Yarn yarn -> stretched(rope, yarn, plain, i);
                case Scaling.Llama3 llama3 -> stretched(llama3, plain);
                case Scaling.Divided divided -> plain / divided.divisors().get(i);
            };
        }
        return frequencies;
    }

    /// Fast frequencies stay, slow ones are divided by the factor, those between are mixed along a ramp.
    private static double stretched(RopeSpec rope, Scaling.Yarn yarn, double plain, int i) {
        double low = pairOf(yarn.betaFast(), rope, yarn);
        double high = pairOf(yarn.betaSlow(), rope, yarn);
        if (yarn.truncate()) {
            low = Math.floor(low);
            high = Math.ceil(high);
        }
        low = Math.max(low, 0);
        high = Math.min(high, rope.columns() - 1);
        if (low == high) {
            high += 0.001;
        }
        double slow = Math.clamp((i - low) / (high - low), 0, 1);
        return plain / yarn.factor() * slow + plain * (1 - slow);
    }

    /// The pair, a fraction, that turns so many times within the original context.
    private static double pairOf(double rotations, RopeSpec rope, Scaling.Yarn yarn) {
        return rope.columns()
                * StrictMath.log(yarn.originalContext() / (rotations * 2 * Math.PI))
                / (2 * StrictMath.log(rope.theta()));
    }

    private static double stretched(Scaling.Llama3 scaling, double plain) {
        double wavelength = 2 * Math.PI / plain;
        double original = scaling.originalContext();
        if (wavelength > original / scaling.lowFactor()) {
            return plain / scaling.factor();
        }
        if (wavelength < original / scaling.highFactor()) {
            return plain;
        }
        double smooth = (original / wavelength - scaling.lowFactor()) / (scaling.highFactor() - scaling.lowFactor());
        return (1 - smooth) * plain / scaling.factor() + smooth * plain;
    }

    private static double attentionFactor(Scaling scaling) {
        return switch (scaling) {
            case Scaling.None() -> 1;
            case Scaling.Yarn yarn -> yarn.attentionFactor();
            case Scaling.Llama3 llama3 -> 1;
            case Scaling.Divided divided -> 1;
        };
    }
}
