package org.bergfried.worker.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;
import java.util.stream.Stream;
import org.bergfried.worker.kernel.check.Host;
import org.bergfried.worker.kernel.check.SplitMix;
import org.bergfried.worker.kernel.choice.Backends;
import org.bergfried.worker.kernel.scalar.ScalarMath;
import org.bergfried.worker.tensor.Buffer;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.Rows;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every backend against what a second reading of ARITHMETIC.md, written in C, gives (`kernel/reference.c`).
final class ReferenceTest {
    private static final float[] EDGES = {
        0,
        -0f,
        Float.POSITIVE_INFINITY,
        Float.NEGATIVE_INFINITY,
        Float.NaN,
        88.7f,
        89,
        89.1f,
        -87.3f,
        -103.9f,
        -104,
        -105,
        1e-40f,
        -1e-40f,
        3e38f
    };

    /// One line of the reference: an operation, its number of columns, the seed of its inputs, its outputs.
    record Line(String name, int columns, int seed, int[] bits) {
        static Line parse(String text) {
            String[] words = text.split(" ");
            int[] bits = Arrays.stream(words)
                    .skip(3)
                    .mapToInt(word -> Integer.parseUnsignedInt(word, 16))
                    .toArray();
            return new Line(words[0], Integer.parseInt(words[1]), Integer.parseInt(words[2]), bits);
        }
    }

    static Stream<String> backends() {
        return Stream.of("scalar", "vector");
    }

    private static Line[] lines() {
        try (var in = ReferenceTest.class.getResourceAsStream("/kernel/reference.txt")) {
            String text = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.US_ASCII);
            return text.lines().map(Line::parse).toArray(Line[]::new);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void givesTheBitsOfTheSecondReading(String name) {
        try (Backend backend = Backends.create(name, 1)) {
            for (Line line : lines()) {
                float[] actual = compute(backend, line);
                assertArrayEquals(line.bits, Host.bits(actual), line.name + " " + line.columns);
            }
        }
    }

    @Test
    void theReferenceCoversEveryRule() {
        for (String name : new String[] {
            "scales", "codes", "Q8_0", "Q4_0", "Q6_K", "F32", "exp", "silu", "softmax", "weigh", "rmsNorm"
        }) {
            assertTrue(Arrays.stream(lines()).anyMatch(line -> line.name.equals(name)), name);
        }
    }

    private static float[] compute(Backend backend, Line line) {
        var random = new SplitMix(line.seed);
        return switch (line.name) {
            case "scales" ->
                Host.floats(backend, quantise(backend, random, line.columns).scales());
            case "codes" ->
                widen(Host.bytes(
                        backend, quantise(backend, random, line.columns).q()));
            case "Q8_0", "Q4_0", "Q6_K" -> coded(backend, random, ElementType.valueOf(line.name), line.columns);
            case "F32" -> product(backend, random, line.columns);
            case "exp" -> exp(random);
            case "silu" -> silu(backend, random);
            case "softmax" -> attend(backend, random, line.columns, true);
            case "weigh" -> attend(backend, random, line.columns, false);
            case "rmsNorm" -> rmsNorm(backend, random, line.columns);
            default -> throw new IllegalArgumentException(line.name);
        };
    }

    private static float[] widen(byte[] values) {
        var wide = new float[values.length];
        for (int i = 0; i < wide.length; i++) {
            wide[i] = values[i];
        }
        return wide;
    }

    private static Codes quantise(Backend backend, SplitMix random, int columns) {
        float[] x = random.numbers(columns);
        if (columns == 96) { // one block with a NaN, one too small to have a scale
            x[40] = Float.NaN;
            for (int i = 64; i < 96; i++) {
                x[i] *= 0x1p-120f;
            }
        }
        Codes codes = backend.allocateCodes(1, columns);
        backend.quantise(Host.rows(backend, columns, x), 1, codes);
        return codes;
    }

    private static float[] coded(Backend backend, SplitMix random, ElementType type, int columns) {
        Matrix w = backend.load(Host.coded(random, type, 5, columns));
        Rows x = Host.rows(backend, columns, random.numbers(columns));
        Codes codes = backend.allocateCodes(1, columns);
        Buffer y = backend.allocate(5 * 4);
        backend.quantise(x, 1, codes);
        backend.multiply(w, x, codes, 1, Rows.of(y, 5));
        return Host.floats(backend, y);
    }

    private static float[] product(Backend backend, SplitMix random, int columns) {
        Matrix w = backend.load(Host.tensor(3, columns, random.numbers(3 * columns)));
        Rows x = Host.rows(backend, columns, random.numbers(columns));
        Buffer y = backend.allocate(3 * 4);
        backend.multiply(w, x, backend.allocateCodes(1, 32), 1, Rows.of(y, 3));
        return Host.floats(backend, y);
    }

    /// exp has no operation of its own; silu, softmax and sigmoid show it.
    private static float[] exp(SplitMix random) {
        var y = new float[400];
        for (int i = 0; i < 400; i++) {
            y[i] = ScalarMath.exp(i < EDGES.length ? EDGES[i] : random.number());
        }
        return y;
    }

    private static float[] silu(Backend backend, SplitMix random) {
        for (int i = EDGES.length; i < 400; i++) {
            random.number(); // the numbers of the line before
        }
        var x = new float[400];
        var ones = new float[400];
        for (int i = 0; i < 400; i++) {
            x[i] = i < EDGES.length ? EDGES[i] : random.number();
            ones[i] = 1;
        }
        Buffer y = backend.allocate(400 * 4);
        backend.swiglu(Host.rows(backend, 400, x), Host.rows(backend, 400, ones), 1, 400, Rows.of(y, 400));
        return Host.floats(backend, y);
    }

    /// Attention over keys of one column and values of one column each: softmax of the scores `p`, then the sum.
    private static float[] attend(Backend backend, SplitMix random, int positions, boolean probabilities) {
        float[] p = random.numbers(positions);
        float[] v = random.numbers(positions);
        int columns = probabilities ? positions : 1;
        int rowStride = 1 + columns;
        var cache = new float[positions * rowStride];
        for (int t = 0; t < positions; t++) {
            cache[t * rowStride] = p[t] * 0x1p-4f;
            cache[t * rowStride + 1 + (probabilities ? t : 0)] = probabilities ? 1 : v[t];
        }
        var view = new CacheView(
                Host.floats(backend, cache),
                0,
                (long) positions * rowStride,
                rowStride,
                positions,
                Host.ints(backend, 0),
                1,
                Host.ints(backend, 0),
                Host.ints(backend, positions - 1),
                positions - 1);
        Buffer y = backend.allocate(columns * 4L);
        var shape = new AttentionShape(1, 1, 1, columns, 0, 1, 1f);
        backend.attention(shape, Host.rows(backend, 1, 1f), 1, view, Rows.of(y, columns));
        return Host.floats(backend, y);
    }

    private static float[] rmsNorm(Backend backend, SplitMix random, int columns) {
        Rows x = Host.rows(backend, columns, random.numbers(columns));
        Matrix w = backend.load(Host.tensor(1, columns, random.numbers(columns)));
        Buffer y = backend.allocate(columns * 4L);
        backend.rmsNorm(x, 1, w, 1e-6f, Rows.of(y, columns));
        return Host.floats(backend, y);
    }
}
