package org.bergfried.worker.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.bergfried.worker.kernel.check.Host;
import org.bergfried.worker.kernel.choice.Backends;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.Rows;
import org.bergfried.worker.tensor.StoredTensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Blocks of every GGUF type against the values that the Python package `gguf` gives them (`gguf/make_vectors.py`).
final class GgufVectorsTest {
    /// Blocks of a type and what they stand for.
    ///
    /// @param values float32, little-endian.
    record Vector(ElementType type, int rows, int columns, byte[] blocks, byte[] values) {
        @Override
        public String toString() {
            return type.name();
        }
    }

    static Stream<Vector> vectors() throws IOException {
        try (var in = GgufVectorsTest.class.getResourceAsStream("/gguf/vectors.json")) {
            JsonNode all = JsonMapper.shared().readTree(in);
            List<JsonNode> each = StreamSupport.stream(all.spliterator(), false).toList();
            return each.stream().map(GgufVectorsTest::vector);
        }
    }

    private static Vector vector(JsonNode node) {
        return new Vector(
                ElementType.valueOf(node.path("type").asString()),
                node.path("rows").asInt(),
                node.path("columns").asInt(),
                Base64.getDecoder().decode(node.path("blocks").asString()),
                Base64.getDecoder().decode(node.path("values").asString()));
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void givesTheValuesOfThePythonPackage(Vector vector) {
        try (Backend backend = Backends.create("scalar", 1)) {
            StoredTensor tensor = Host.tensor(vector.type, vector.rows, vector.columns, vector.blocks);
            Matrix table = backend.load(tensor);
            Rows y = Host.rows(backend, vector.columns, new float[vector.rows * vector.columns]);
            var ids = new int[] {0, 1, 2};
            backend.embed(table, Host.ints(backend, ids), vector.rows, y);
            float[] actual = Host.floats(backend, y.buffer());
            for (int i = 0; i < actual.length; i++) {
                float expected = expected(vector, i);
                // The package rounds product and sum of types with an offset one after the other.
                double allowed = offsetSize(vector) == 0 ? 0 : 4e-7 * (Math.abs(expected) + offsetSize(vector));
                assertEquals(expected, actual[i], allowed, "element " + i);
            }
        }
    }

    private static float expected(Vector vector, int i) {
        int bits = 0;
        for (int b = 3; b >= 0; b--) {
            bits = bits << 8 | (vector.values[4 * i + b] & 255);
        }
        return Float.intBitsToFloat(bits);
    }

    /// The size of offsets in these vectors; 0 where values must be exact.
    private static float offsetSize(Vector vector) {
        return switch (vector.type) {
            case Q4_1, Q5_1 -> 0.2f;
            case Q2_K, Q4_K, Q5_K -> 10;
            default -> 0;
        };
    }
}
