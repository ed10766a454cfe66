package org.bergfried.ops.bench;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What a loaded model takes of memory, in a JVM of its own: the weights once, however often they were read, and what
/// does not grow with the model. For files above 1.6 GiB that is less than 1.15 of the file.
@Timeout(300)
final class ResidentMemoryTest {
    private static final Logger LOG = LoggerFactory.getLogger(ResidentMemoryTest.class);
    private static final double SHARE_MAX = 1.05; // of the file: tiles have larger scales for some types
    private static final long CONSTANT_MAX = 160L << 20; // scratch memory and the JVM's growth, whatever the file

    @TempDir
    private Path folder = Path.of("");

    @Test
    void aModelTakesLittleMoreMemoryThanItsFile() throws Exception {
        assumeTrue(Files.isReadable(Path.of("/proc/self/smaps")), "this system has no /proc/self/smaps");
        Path file = write(Mix.Q4_K);
        List<String> lines = measure(file);
        String[] figures = lines.getLast().split(" ", -1);
        long size = Files.size(file);
        long resident = Long.parseLong(figures[0]);
        long mapped = Long.parseLong(figures[1]);
        LOG.info("{} bytes: {} resident, {} of them mapped", size, resident, mapped);
        assertTrue(resident > size, "the weights are in memory: " + lines);
        assertTrue(mapped < size / 20, "pages of what was re-laid are let go of: " + lines);
        assertTrue(resident <= SHARE_MAX * size + CONSTANT_MAX, "of " + size + " bytes: " + lines);
    }

    /// The header of a model with the shapes of DeepSeek-V2-Lite, and a hole for its weights: all are 0.
    private Path write(Mix mix) throws Exception {
        GgufWriter draft = SyntheticModel.DEEPSEEK_V2_LITE.draft(mix, 2);
        byte[] header = draft.header();
        Path file = Files.write(folder.resolve("model.gguf"), header);
        try (var sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(((header.length + 31L) & -32L) + draft.tensorBytes());
        }
        return file;
    }

    private static List<String> measure(Path file) throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(Objects.requireNonNull(System.getProperty("java.home")), "bin", "java")
                                .toString(),
                        "-Xms128m",
                        "-Xmx128m",
                        "-XX:+AlwaysPreTouch",
                        "-XX:+UseSerialGC",
                        "--enable-native-access=ALL-UNNAMED",
                        "--add-modules",
                        "jdk.incubator.vector",
                        "-cp",
                        Objects.requireNonNull(System.getProperty("java.class.path")),
                        ResidentMemoryMain.class.getName(),
                        file.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        List<String> lines = new String(process.getInputStream().readAllBytes(), UTF_8)
                .lines()
                .toList();
        assertEquals(0, process.waitFor(), () -> "the measuring process failed after " + lines);
        return lines;
    }
}
