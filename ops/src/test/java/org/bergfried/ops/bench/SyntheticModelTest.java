package org.bergfried.ops.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.SystemClock;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.model.Models;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class SyntheticModelTest {
    @TempDir
    private Path folder = Path.of("");

    static Stream<Arguments> forms() {
        return Arrays.stream(SyntheticModel.values())
                .flatMap(model -> Arrays.stream(Mix.values()).map(mix -> Arguments.of(model, mix)));
    }

    @ParameterizedTest
    @MethodSource("forms")
    void isAModelThatTheEngineKnows(SyntheticModel synthetic, Mix mix) throws IOException {
        assertEquals(2, open(synthetic, mix).layers());
    }

    @Test
    void hasTheShapesOfTheRealModel() throws IOException {
        Shape shape = open(SyntheticModel.QWEN3_30B_A3B, Mix.Q4_0);
        assertEquals(2048, shape.hidden());
        assertArrayEquals(new int[] {0, 1}, shape.moeLayers());
    }

    @Test
    void halfOfTheLayersOfAMixHaveFinerMatrices() {
        long finer = IntStream.range(0, 48)
                .filter(layer -> Mix.Q4_K_M.sensitive(layer, 48) == WeightType.Q6_K)
                .count();
        assertEquals(24, finer);
        assertEquals(WeightType.Q4_K, Mix.Q4_K_M.sensitive(6, 48));
        assertEquals(WeightType.Q6_K, Mix.Q4_K_M.sensitive(8, 48));
    }

    private record Shape(int layers, int hidden, int[] moeLayers) {}

    /// Opens a file that has the header of the model and holes for its weights.
    private Shape open(SyntheticModel synthetic, Mix mix) throws IOException {
        GgufWriter draft = synthetic.draft(mix, 2);
        Path file = folder.resolve("model.gguf");
        byte[] header = draft.header();
        Files.write(file, header);
        try (var sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength((header.length + 31L & -32L) + draft.tensorBytes());
        }
        try (Model model = Models.open(file)) {
            var spec = model.spec();
            return new Shape(spec.layers().size(), spec.hiddenSize(), spec.moeLayers());
        }
    }

    @Test
    void blocksHaveTheSpreadOfATrainedMatrix() {
        int columns = 1024;
        byte[] bytes = new byte[WeightType.Q8_0.blockBytes() * 1000];
        WeightType.Q8_0.fill(bytes, bytes.length, columns, false, new SplittableRandom(5));
        var view = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        double squares = 0;
        for (int block = 0; block < bytes.length; block += WeightType.Q8_0.blockBytes()) {
            double scale = Float.float16ToFloat(view.getShort(block));
            for (int i = 0; i < 32; i++) {
                double weight = scale * view.get(block + 2 + i);
                squares += weight * weight;
            }
        }
        double spread = Math.sqrt(squares / (1000 * 32));
        assertEquals(1 / Math.sqrt(columns), spread, 0.1 / Math.sqrt(columns));
    }

    @Test
    void namesWhatIsUnknown() {
        var benchmark = new Benchmark(new SystemClock(), line -> {});
        var model = assertThrows(ClusterException.class, () -> benchmark.synthetic("gpt-9", "Q4_0", 0, folder));
        assertTrue(model.text().contains("gpt-9") && model.text().contains("qwen3-30b-a3b"), model.text());
        var type = assertThrows(ClusterException.class, () -> benchmark.synthetic("qwen3-30b-a3b", "Q9", 0, folder));
        assertTrue(type.text().contains("Q9") && type.text().contains("Q4_K"), type.text());
    }
}
