package org.bergfried.worker.trunk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.bergfried.worker.Golden;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.check.Host;
import org.bergfried.worker.kernel.choice.Backends;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.model.Models;
import org.bergfried.worker.model.PackedModel;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.Rows;
import org.bergfried.worker.tensor.StoredTensor;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Experts of packed four-bit integers against a twin that has the same numbers in float32.
final class PackedLogitsTest {
    @TempDir
    Path directory;

    private Path packed = Path.of("");
    private Path twin = Path.of("");

    @BeforeEach
    void write() throws IOException {
        packed = Files.createDirectory(directory.resolve("packed"));
        twin = Files.createDirectory(directory.resolve("twin"));
        PackedModel.write(packed);
        PackedModel.writeTwin(twin);
    }

    @Test
    void weightsAreThoseOfTheTwin() {
        try (Model integers = Models.open(packed);
                Model floats = Models.open(twin);
                Backend backend = Backends.create("scalar", 1)) {
            for (int layer : floats.spec().moeLayers()) {
                for (int expert : new int[] {0, 11}) {
                    List<StoredTensor> expected = floats.expert(layer, expert).tensors();
                    List<StoredTensor> actual = integers.expert(layer, expert).tensors();
                    for (int i = 0; i < expected.size(); i++) {
                        assertEquals(ElementType.INT4, actual.get(i).type());
                        float[] right = values(backend, expected.get(i));
                        float[] values = values(backend, actual.get(i));
                        for (int k = 0; k < right.length; k++) {
                            // An integer of 0 is -0 where the weight is negative.
                            assertTrue(right[k] == values[k], right[k] + " is right, not " + values[k]);
                        }
                    }
                }
            }
        }
    }

    /// Integer-coded experts meet quantised activations. Single tokens may choose other experts for it.
    @Test
    void logitsStayNearThoseOfTheTwinAtMostTokens() throws IOException {
        int[] ids = Golden.read("kimi_k2").ids();
        Path expected = directory.resolve("logits.f32");
        try (TrunkRig rig = new TrunkRig(twin, "auto")) {
            Files.write(expected, bytes(rig.logits(ids, ids.length)));
        }
        try (TrunkRig rig = new TrunkRig(packed, "auto")) {
            double[] errors = Golden.relativeRmsOfTokens(expected, rig.logits(ids, ids.length));
            double median = Arrays.stream(errors).sorted().toArray()[errors.length / 2];
            assertTrue(median > 1e-4 && median < 0.02, "the median error of a token is " + median);
        }
    }

    private static byte[] bytes(float[][] logits) {
        ByteBuffer bytes = ByteBuffer.allocate(logits.length * logits[0].length * Float.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
        for (float[] row : logits) {
            for (float value : row) {
                bytes.putFloat(value);
            }
        }
        return bytes.array();
    }

    private static float[] values(Backend backend, StoredTensor tensor) {
        int rows = tensor.rows();
        Rows y = Host.rows(backend, tensor.columns(), new float[rows * tensor.columns()]);
        int[] ids = IntStream.range(0, rows).toArray();
        backend.embed(backend.load(tensor), Host.ints(backend, ids), rows, y);
        return Host.floats(backend, y.buffer());
    }
}
