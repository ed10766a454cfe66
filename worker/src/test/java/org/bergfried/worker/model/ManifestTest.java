package org.bergfried.worker.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.bergfried.worker.Golden;
import org.bergfried.worker.weights.DigestCache;
import org.bergfried.worker.weights.MappedFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ManifestTest {
    @TempDir
    Path directory;

    @Test
    void isTheSameWhereverTheFilesLie() throws IOException {
        Path copy = copy("deepseek_v3");
        assertEquals(digest(Golden.path("deepseek_v3")), digest(copy));
        assertTrue(digest(copy).matches("[0-9a-f]{64}"));
        assertNotEquals(digest(Golden.path("deepseek_v3")), digest(Golden.path("deepseek_v3_yarn")));
    }

    @Test
    void changesWithTheConfiguration() throws IOException {
        Path copy = copy("qwen3");
        String before = digest(copy);
        Path config = copy.resolve("config.json");
        Files.writeString(config, Files.readString(config) + "\n");
        assertNotEquals(before, digest(copy));
    }

    @Test
    void aChangedByteChangesTheModelsDigestAndThatOfItsExpertOnly() throws IOException {
        Path file = directory.resolve("model.gguf");
        Files.copy(Golden.path("tiny-dsv2-Q8_0.gguf"), file);
        String before = digest(file);
        String expert6;
        String expert7;
        try (Model model = Models.open(file)) {
            expert6 = model.expertDigest(2, 6);
            expert7 = model.expertDigest(2, 7);
        }
        flip(file, offsetOfExpert(file, 2, 7) + 5);
        try (Model model = Models.open(file)) {
            assertNotEquals(before, model.digest());
            assertEquals(expert6, model.expertDigest(2, 6));
            assertNotEquals(expert7, model.expertDigest(2, 7));
        }
    }

    @Test
    void aByteThatChangesWhileTheModelIsOpenSpoilsItsExpertOnly() throws IOException {
        Path file = directory.resolve("model.gguf");
        Files.copy(Golden.path("tiny-dsv2-Q8_0.gguf"), file);
        long offset = offsetOfExpert(file, 2, 7);
        try (Model model = Models.open(file)) {
            model.digest();
            assertEquals(Optional.empty(), model.expertFault(2, 7));
            flip(file, offset + 5);
            assertEquals(Optional.empty(), model.expertFault(2, 6));
            String fault = model.expertFault(2, 7).orElseThrow();
            assertTrue(fault.contains("#7 in " + file), fault);
        }
    }

    @Test
    void doesNotHashAgainWhatIsRemembered() throws IOException {
        Path copy = copy("llama");
        DigestCache cache = DigestCache.in(directory.resolve("data"));
        String right = digest(copy, cache);
        assertEquals(right, digest(copy, cache));
        Path remembered = onlyFile(directory.resolve("data"));
        List<String> lines = Files.readAllLines(remembered);
        lines.set(1, "0".repeat(64) + lines.get(1).substring(64));
        Files.write(remembered, lines, StandardCharsets.UTF_8);
        assertNotEquals(right, digest(copy, cache), "the remembered digest is believed");
        Files.setLastModifiedTime(copy.resolve("model.safetensors"), FileTime.fromMillis(1));
        assertEquals(right, digest(copy, cache), "a file with another time of change is hashed again");
    }

    @Test
    void survivesADamagedCache() throws IOException {
        Path copy = copy("llama");
        DigestCache cache = DigestCache.in(directory.resolve("data"));
        String right = digest(copy, cache);
        Path remembered = onlyFile(directory.resolve("data"));
        List<String> lines = Files.readAllLines(remembered);
        Files.writeString(remembered, lines.getFirst() + "\nnonsense\n");
        assertEquals(right, digest(copy, cache));
    }

    private static String digest(Path path) {
        return digest(path, DigestCache.none());
    }

    private static String digest(Path path, DigestCache cache) {
        try (Model model = Models.open(path, cache)) {
            return model.digest();
        }
    }

    private static long offsetOfExpert(Path file, int layer, int expert) {
        try (Model model = Models.open(file);
                var mapped = MappedFile.open(file)) {
            var bytes = model.expert(layer, expert).upProj().bytes();
            for (long at = 0; at + bytes.byteSize() <= mapped.bytes().byteSize(); at++) {
                if (mapped.bytes().asSlice(at, bytes.byteSize()).mismatch(bytes) < 0) {
                    return at;
                }
            }
            throw new IllegalStateException("the expert is not in the file");
        }
    }

    private static void flip(Path file, long at) throws IOException {
        try (var open = new RandomAccessFile(file.toFile(), "rw")) {
            open.seek(at);
            int value = open.read();
            open.seek(at);
            open.write(value ^ 1);
        }
    }

    private static Path onlyFile(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            List<Path> all = files.toList();
            assertEquals(1, all.size());
            return all.getFirst();
        }
    }

    private Path copy(String name) throws IOException {
        Path copy = Files.createDirectory(directory.resolve(name));
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(Golden.path(name).resolve(file), copy.resolve(file));
        }
        return copy;
    }
}
