package org.bergfried.worker.model;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.bergfried.contract.ClusterException;
import org.bergfried.worker.Golden;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Files with damaged headers, from seeds: each opens or is refused with a named error, soon and without much memory.
class HostileFilesTest {
    private static final int FILES = 500;
    private static final int PART_BYTES = 2500;
    /// What opening one of these files may allocate: the headers have 4 to 90 KiB.
    private static final long ALLOCATED_BYTES_MAX = 64L << 20;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @TempDir
    Path directory;

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
    void damagedSafetensorsHeadersAreRefusedByName() throws IOException {
        byte[] whole = Files.readAllBytes(Golden.path("llama").resolve("model.safetensors"));
        Files.copy(Golden.path("llama").resolve("config.json"), directory.resolve("config.json"));
        Path file = directory.resolve("model.safetensors");
        for (int seed = 0; seed < FILES; seed++) {
            Files.write(file, damaged(whole, 3096, seed));
            open(directory, seed);
        }
        assertTrue(refused > FILES / 2, refused + " refused, " + opened + " opened");
    }

    @Test
    void damagedGgufHeadersAreRefusedByName() throws IOException {
        byte[] whole = Files.readAllBytes(Golden.path("tiny-dsv2-Q4_0.gguf"));
        Path file = directory.resolve("model.gguf");
        Files.write(file, whole);
        try (var patched = new RandomAccessFile(file.toFile(), "rw")) {
            for (int seed = 0; seed < FILES; seed++) {
                // Half of the damage goes to the fields before the vocabulary, half to the directory of tensors.
                int from = seed % 2 == 0 ? 0 : 59_000;
                byte[] part = Arrays.copyOfRange(whole, from, from + PART_BYTES);
                patched.seek(from);
                patched.write(Arrays.copyOf(damaged(part, PART_BYTES, seed), PART_BYTES));
                open(file, seed);
                patched.seek(from);
                patched.write(part);
            }
        }
        assertTrue(refused > FILES / 4, refused + " refused, " + opened + " opened");
    }

    @Test
    void damagedConfigurationsAreRefusedByName() throws IOException {
        Files.copy(Golden.path("deepseek_v3").resolve("model.safetensors"), directory.resolve("model.safetensors"));
        byte[] whole = Files.readAllBytes(Golden.path("deepseek_v3").resolve("config.json"));
        for (int seed = 0; seed < FILES; seed++) {
            Files.write(directory.resolve("config.json"), damaged(whole, whole.length, seed));
            open(directory, seed);
        }
        assertTrue(refused > FILES / 2, refused + " refused, " + opened + " opened");
    }

    private void open(Path model, int seed) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        try (Model open = Models.open(model)) {
            open.stopIds();
            open.tokenizerJson();
            open.chatTemplate();
            opened++;
        } catch (ClusterException refusal) {
            assertTrue(refusal.text().contains(directory.toString()), refusal.text());
            refused++;
        } catch (RuntimeException e) {
            fail("seed " + seed, e);
        }
        long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
        assertTrue(allocated < ALLOCATED_BYTES_MAX, "seed " + seed + " allocated " + allocated + " bytes");
    }

    /// One to four changes within the first `range` bytes.
    private static byte[] damaged(byte[] whole, int range, int seed) {
        var random = new SplittableRandom(seed);
        byte[] bytes = whole.clone();
        int changes = random.nextInt(1, 5);
        for (int i = 0; i < changes; i++) {
            int at = random.nextInt(Math.min(range, bytes.length) - 8);
            ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
            switch (random.nextInt(7)) {
                case 0 -> bytes[at] = (byte) random.nextInt();
                case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 2 -> bytes[at] = (byte) ('0' + random.nextInt(10));
                case 3 -> buffer.putLong(at, random.nextLong());
                case 4 -> buffer.putLong(at, Long.MAX_VALUE - random.nextInt(64));
                case 5 -> buffer.putInt(at, -1);
                default -> {
                    if (i == 0 && random.nextInt(4) == 0) {
                        return Arrays.copyOf(bytes, at + 8);
                    }
                    System.arraycopy(bytes, random.nextInt(range - 8), bytes, at, 8);
                }
            }
        }
        return bytes;
    }
}
