package org.bergfried.worker.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.Golden;
import org.bergfried.worker.weights.safetensors.SafetensorsDirectory;
import org.bergfried.worker.weights.safetensors.SafetensorsFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsTest {
    @TempDir
    Path directory;

    @Test
    void readsTensorsInTheOrderOfTheirBytes() throws IOException {
        Path file = write("""
                {"__metadata__": {"format": "pt"},
                 "b": {"dtype": "F32", "shape": [2], "data_offsets": [8, 16]},
                 "a": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 8]},
                 "c": {"dtype": "F8_E5M2", "shape": [3], "data_offsets": [16, 19]}}""", 19);
        try (SafetensorsFile open = SafetensorsFile.open(file)) {
            assertEquals(List.of("a", "b", "c"), List.copyOf(open.entries().keySet()));
            assertEquals(
                    List.of(2L, 2L),
                    Objects.requireNonNull(open.entries().get("a")).shape());
            ClusterException refusal = assertThrows(
                    ClusterException.class,
                    () -> Objects.requireNonNull(open.entries().get("c")).stored());
            assertEquals(ErrorReason.MODEL_UNSUPPORTED, refusal.reason());
            assertTrue(refusal.text().contains("tensor c has the type F8_E5M2"), refusal.text());
        }
    }

    @Test
    void refusesATruncatedFile() throws IOException {
        byte[] whole = Files.readAllBytes(Golden.path("llama").resolve("model.safetensors"));
        Path file = directory.resolve("cut.safetensors");
        Files.write(file, Arrays.copyOf(whole, whole.length - 1));
        refused(file, "was cut off");
        Files.write(file, Arrays.copyOf(whole, 1000));
        refused(file, "its header claims 3088 bytes; the file has 1000");
        Files.write(file, new byte[7]);
        refused(file, "has 7 bytes");
    }

    @Test
    void refusesAHeaderThatClaimsTooMuch() throws IOException {
        for (long claim : new long[] {-1, 0, 1, 100_000_001, Long.MAX_VALUE}) {
            Path file = directory.resolve("claim.safetensors");
            Files.write(
                    file,
                    ByteBuffer.allocate(64)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .putLong(claim)
                            .array());
            refused(file, "its header claims " + Long.toUnsignedString(claim));
        }
    }

    @Test
    void refusesOverlapsGapsAndOffsetsOutside() throws IOException {
        refused(write(tensors("[0, 8]", "[4, 12]"), 12), "tensor b begins at byte 4 of the data where 8 is due");
        refused(write(tensors("[0, 8]", "[12, 20]"), 20), "tensor b begins at byte 12 of the data where 8 is due");
        refused(write(tensors("[0, 8]", "[8, 16]"), 12), "tensor b ends at byte 16 of the data, which has 12");
        refused(write(tensors("[0, 8]", "[8, 4]"), 12), "tensor b ends at byte 4 of the data, before its begin");
        refused(write(tensors("[0, 8]", "[8, 16]"), 17), "has 1 bytes after its last tensor");
        refused(write(tensors("[0, 8]", "[-8, 16]"), 16), "b.data_offsets must be at most 2 numbers of 0 or more");
        refused(write(tensors("[0, 8]", "[8]"), 16), "tensor b lacks");
    }

    @Test
    void refusesShapesThatDoNotFitTheBytes() throws IOException {
        refused(
                write("{\"a\": {\"dtype\": \"F32\", \"shape\": [3], \"data_offsets\": [0, 8]}}", 8),
                "tensor a of type F32 and shape [3] has 8 bytes");
        refused(
                write(
                        "{\"a\": {\"dtype\": \"F32\", \"shape\": [4294967296, 4294967296], \"data_offsets\": [0, 8]}}",
                        8),
                "tensor a has the shape [4294967296, 4294967296], more than 2^63 bits");
    }

    @Test
    void refusesBrokenJson() throws IOException {
        refused(write("{\"a\": ", 0), "the header is no valid JSON");
        refused(write("[1, 2]  ", 0), "the header must be START_OBJECT");
        refused(write("{\"__metadata__\": " + "[".repeat(10_000), 0), "the header is no valid JSON");
        refused(write("{} {}", 0), "goes on after its object");
        String twice = "\"a\": {\"dtype\": \"F32\", \"shape\": [0], \"data_offsets\": [0, 0]}";
        refused(write("{" + twice + ", " + twice + "}", 0), "Duplicate");
        refused(
                write("{\"a\": {\"dtype\": \"F32\", \"shape\": [1e999], \"data_offsets\": [0, 0]}}", 0),
                "a.shape must be VALUE_NUMBER_INT");
        refused(
                write("{\"a\": {\"dtype\": \"F32\", \"shape\": [0], \"data_offsets\": [0, 0], \"x\": 1}}", 0),
                "tensor a has the unknown field x");
    }

    @Test
    void refusesATensorThatIsNotAlignedToItsElements() throws IOException {
        String header = "{\"a\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0, 8]}}";
        Path file = directory.resolve("odd.safetensors");
        Safetensors.writeRaw(file, (header + " ".repeat(header.length() % 2 + 1)).getBytes(StandardCharsets.UTF_8), 8);
        refused(file, "no multiple of the 4 of F32");
    }

    @Test
    void takesTensorsFromTheShardsThatTheIndexNames() throws IOException {
        Safetensors.write(directory.resolve("s1.safetensors"), tensors("[0, 8]", "[8, 16]"), 16);
        Safetensors.write(
                directory.resolve("s2.safetensors"),
                "{\"b\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}}",
                4);
        index("{\"a\": \"s1.safetensors\", \"b\": \"s2.safetensors\"}");
        try (SafetensorsDirectory open = SafetensorsDirectory.open(directory)) {
            assertEquals(
                    List.of(1L), Objects.requireNonNull(open.entries().get("b")).shape());
            assertEquals(2, open.files().size());
        }
    }

    @Test
    void namesMissingShardsAndTensors() throws IOException {
        Safetensors.write(directory.resolve("s1.safetensors"), tensors("[0, 8]", "[8, 16]"), 16);
        index("{\"a\": \"s1.safetensors\", \"b\": \"s3.safetensors\", \"c\": \"s2.safetensors\"}");
        directoryRefused("shards that it names are missing: s2.safetensors, s3.safetensors");
        index("{\"a\": \"s1.safetensors\", \"z\": \"s1.safetensors\"}");
        directoryRefused("not in their shards: z (s1.safetensors)");
    }

    @Test
    void staysInsideTheDirectory() throws IOException {
        for (String name : List.of("../secret.safetensors", "/etc/passwd", "sub/s1.safetensors", "s1.bin")) {
            index("{\"a\": \"" + name + "\"}");
            directoryRefused("names the shard " + name);
        }
    }

    private void index(String weightMap) throws IOException {
        Files.writeString(
                directory.resolve("model.safetensors.index.json"),
                "{\"metadata\": {\"total_size\": 1}, \"weight_map\": " + weightMap + "}");
    }

    private void directoryRefused(String part) {
        ClusterException refusal = assertThrows(ClusterException.class, () -> SafetensorsDirectory.open(directory));
        assertEquals(ErrorReason.WEIGHTS_CORRUPT, refusal.reason());
        assertTrue(refusal.text().contains(part), refusal.text());
    }

    private static String tensors(String offsetsOfA, String offsetsOfB) {
        return "{\"a\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": " + offsetsOfA
                + "}, \"b\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": " + offsetsOfB + "}}";
    }

    private Path write(String header, int dataBytes) throws IOException {
        Path file = directory.resolve("model.safetensors");
        Safetensors.write(file, header, dataBytes);
        return file;
    }

    private static void refused(Path file, String part) {
        ClusterException refusal = assertThrows(ClusterException.class, () -> SafetensorsFile.open(file));
        assertTrue(refusal.text().startsWith(file + ": "), refusal.text());
        assertTrue(refusal.text().contains(part), refusal.text());
    }
}
