package org.bergfried.worker.model;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.bergfried.contract.ClusterException;
import org.bergfried.worker.Golden;
import org.bergfried.worker.weights.Safetensors;
import org.bergfried.worker.weights.Safetensors.Tensor;
import org.bergfried.worker.weights.safetensors.SafetensorsFile;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Damaged files, from seeds: each opens or is refused with a named error, soon, and allocates no more than the size of
/// its files and a bound. Of what opens, every expert can be had. Memory outside of the heap holds copies of tensors
/// whose bytes are there.
@Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HostileFilesTest {
    /// Of the commonest forms; of the others a half.
    private static final int FILES = 500;
    private static final long BOUND_BYTES = 24 << 20;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @TempDir
    Path directory;

    private final Map<Path, byte[]> sound = new LinkedHashMap<>();
    private int refused;
    private int opened;

    /// Loads the classes, which allocates too.
    @BeforeEach
    void openSoundModels() {
        for (String name : List.of("llama", "deepseek_v3", "tiny-dsv2-Q4_0.gguf")) {
            try (Model model = Models.open(Golden.path(name))) {
                assertTrue(model.stopIds().length > 0);
            }
        }
        assertThrows(ClusterException.class, () -> Models.open(directory));
    }

    @Test
    void damagedSafetensorsAreRefusedByName() throws IOException {
        copy("llama");
        damageInTurn(FILES, directory, "model.safetensors");
        assertTrue(refused > FILES / 2, this::counts);
    }

    @Test
    void damagedConfigurationsAreRefusedByName() throws IOException {
        copy("deepseek_v3");
        damageInTurn(FILES, directory, "config.json");
        assertTrue(refused > FILES / 2, this::counts);
    }

    @Test
    void damagedIndexesAndShardsAreRefusedByName() throws IOException {
        Path golden = Golden.path("qwen3_moe");
        Files.copy(golden.resolve("config.json"), directory.resolve("config.json"));
        var tensors = new LinkedHashMap<String, Tensor>();
        try (var file = SafetensorsFile.open(golden.resolve("model.safetensors"))) {
            file.entries().forEach((name, entry) -> tensors.put(name, Tensor.of(entry)));
        }
        Safetensors.writeShards(directory, tensors, 2);
        damageInTurn(
                FILES / 2,
                directory,
                "model.safetensors.index.json",
                "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors");
        assertTrue(refused > FILES / 4, this::counts);
    }

    @Test
    void damagedFp8IsRefusedByName() throws IOException {
        copy("deepseek_v3_fp8");
        damageInTurn(FILES / 2, directory, "model.safetensors", "config.json");
        assertTrue(refused > FILES / 4, this::counts);
    }

    @Test
    void damagedMxfp4IsRefusedByName() throws IOException {
        copy("gpt_oss_mxfp4");
        damageInTurn(FILES / 2, directory, "model.safetensors", "config.json");
        assertTrue(refused > FILES / 4, this::counts);
    }

    @Test
    void damagedInt4IsRefusedByName() throws IOException {
        PackedModel.write(directory);
        damageInTurn(FILES / 2, directory, "model.safetensors", "config.json");
        assertTrue(refused > FILES / 4, this::counts);
    }

    /// A file of real size with a vocabulary.
    @Test
    void damagedGgufIsRefusedByName() throws IOException {
        Path file = directory.resolve("model.gguf");
        Files.copy(Golden.path("tiny-dsv2-Q4_0.gguf"), file);
        damageInTurn(FILES, file, "model.gguf");
        assertTrue(refused > FILES / 4, this::counts);
    }

    @Test
    void damagedPartsOfASplitGgufAreRefusedByName() throws IOException {
        Path whole = directory.resolve("whole.gguf");
        GgufTwin.write("gpt_oss_mxfp4", "gpt-oss", GgufTwin.Experts.MERGED, whole);
        List<Path> parts = SplitGguf.write(whole, directory, "tiny", 3);
        Files.delete(whole);
        String[] names =
                parts.stream().map(part -> part.getFileName().toString()).toArray(String[]::new);
        damageInTurn(FILES / 2, directory, names);
        assertTrue(refused > FILES / 8, this::counts);
    }

    private void copy(String golden) throws IOException {
        for (String name : List.of("config.json", "model.safetensors")) {
            Files.copy(Golden.path(golden).resolve(name), directory.resolve(name));
        }
    }

    /// Damages one of the files for each seed and opens the model.
    private void damageInTurn(int seeds, Path model, String... names) throws IOException {
        var places = new LinkedHashMap<Path, List<GgufPlaces.Place>>();
        for (String name : names) {
            Path file = directory.resolve(name);
            sound.put(file, Files.readAllBytes(file));
            if (name.endsWith(".gguf")) {
                places.put(file, GgufPlaces.of(sound.get(file)));
            }
        }
        List<Path> files = new ArrayList<>(sound.keySet());
        for (int seed = 0; seed < seeds; seed++) {
            var damage = new Damage(seed);
            Path file = files.get(seed % files.size());
            byte[] whole = sound.getOrDefault(file, new byte[0]);
            String name = file.toString();
            byte[] damaged = name.endsWith(".json")
                    ? damage.json(whole)
                    : name.endsWith(".gguf")
                            ? damage.gguf(whole, places.getOrDefault(file, List.of()))
                            : damage.safetensors(whole);
            Files.write(file, damaged);
            open(model, seed);
            Files.write(file, whole);
        }
    }

    private void open(Path model, int seed) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        long allocated;
        try (Model open = Models.open(model)) {
            open.stopIds();
            open.tokenizerJson();
            open.chatTemplate();
            allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
            ModelDescription.of(open);
            opened++;
        } catch (ClusterException refusal) {
            allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
            assertTrue(refusal.text().contains(directory.toString()), refusal.text());
            refused++;
        } catch (RuntimeException e) {
            fail("seed " + seed, e);
            return;
        }
        long bound = BOUND_BYTES
                + sound.values().stream().mapToLong(bytes -> bytes.length).sum();
        assertTrue(allocated < bound, "seed " + seed + " allocated " + allocated + " bytes, bound " + bound);
    }

    private String counts() {
        return refused + " refused, " + opened + " opened";
    }
}
