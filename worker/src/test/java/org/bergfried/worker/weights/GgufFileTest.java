package org.bergfried.worker.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.weights.gguf.GgufFile;
import org.bergfried.worker.weights.gguf.GgufValue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufFileTest {
    @TempDir
    Path directory;

    @Test
    void readsMetadataOfAllTypes() throws IOException {
        byte[] bytes = new GgufBytes()
                .field("u8", 0, new byte[] {-1})
                .field("i8", 1, new byte[] {-1})
                .field("u16", 2, new byte[] {-1, -1})
                .field("i16", 3, new byte[] {-1, -1})
                .field("u32", 4, GgufBytes.ints(-1))
                .field("i32", 5, GgufBytes.ints(-1))
                .float32("f32", 1.5f)
                .field("bool", 7, new byte[] {1})
                .text("string", "gr\u00fcn")
                .field("u64", 10, GgufBytes.longs(Long.MAX_VALUE))
                .field("i64", 11, GgufBytes.longs(-1))
                .field("f64", 12, GgufBytes.longs(Double.doubleToLongBits(2.5)))
                .texts("strings", List.of("a", "", "b c"))
                .words("ints", 5, 7, -7)
                .field("bytes", 9, concat(GgufBytes.ints(0), GgufBytes.longs(3), new byte[3]))
                .field(
                        "nested",
                        9,
                        concat(
                                GgufBytes.ints(9),
                                GgufBytes.longs(1),
                                GgufBytes.ints(8),
                                GgufBytes.longs(1),
                                GgufBytes.string("x")))
                .bytes();
        try (GgufFile file = GgufFile.open(write(bytes))) {
            assertEquals(
                    List.of(
                            "255",
                            "-1",
                            "65535",
                            "-1",
                            "4294967295",
                            "-1",
                            "1.5",
                            "true",
                            "gr\u00fcn",
                            "9223372036854775807",
                            "-1",
                            "2.5",
                            "an array of 3 strings",
                            "an array of 2 numbers",
                            "an array of 3 elements",
                            "an array of 1 elements"),
                    file.metadata().values().stream().map(GgufValue::shown).toList());
            assertArrayEquals(
                    new String[] {"a", "", "b c"},
                    assertInstanceOf(GgufValue.Texts.class, file.metadata().get("strings"))
                            .values());
            assertEquals(
                    -7,
                    assertInstanceOf(GgufValue.Words.class, file.metadata().get("ints"))
                            .intAt(1));
        }
    }

    @Test
    void readsTensorsWithTheOutermostSizeFirst() throws IOException {
        byte[] bytes = new GgufBytes()
                .tensor("q", 8, 0, 64, 3, 2)
                .tensor("k", 16, 416, 256)
                .data(416 + 144)
                .bytes();
        try (GgufFile file = GgufFile.open(write(bytes))) {
            TensorEntry q = Objects.requireNonNull(file.entries().get("q"));
            assertEquals(List.of(2L, 3L, 64L), q.shape());
            assertEquals(ElementType.Q8_0, q.stored().type());
            assertEquals(6 * 68, q.bytes().byteSize());
            ClusterException refusal = assertThrows(
                    ClusterException.class,
                    () -> Objects.requireNonNull(file.entries().get("k")).stored());
            assertEquals(ErrorReason.MODEL_UNSUPPORTED, refusal.reason());
            assertTrue(refusal.text().contains("tensor k has the type IQ2_XXS"), refusal.text());
        }
    }

    @Test
    void refusesOtherVersionsAndByteOrders() throws IOException {
        refused(ErrorReason.MODEL_UNSUPPORTED, new GgufBytes().version(1), "has version 1; understood are 2 and 3");
        refused(ErrorReason.MODEL_UNSUPPORTED, new GgufBytes().version(4), "has version 4");
        refused(ErrorReason.MODEL_UNSUPPORTED, new GgufBytes().version(3 << 24), "(a big-endian file?)");
        refused(ErrorReason.MODEL_UNSUPPORTED, new GgufBytes().magic(0x47475546), "big-endian");
        refused(ErrorReason.WEIGHTS_CORRUPT, new GgufBytes().magic(0x04034b50), "it is no GGUF file");
        try (GgufFile two = GgufFile.open(write(new GgufBytes().version(2).bytes()))) {
            assertTrue(two.metadata().isEmpty());
        }
    }

    @Test
    void refusesCountsThatTheFileCannotHold() throws IOException {
        refused(
                ErrorReason.WEIGHTS_CORRUPT,
                new GgufBytes().field("s", 8, GgufBytes.longs(1L << 40)),
                "the length of s is 1099511627776");
        refused(
                ErrorReason.WEIGHTS_CORRUPT,
                new GgufBytes().field("a", 9, concat(GgufBytes.ints(8), GgufBytes.longs(-1))),
                "the length of a is 18446744073709551615");
        refused(
                ErrorReason.WEIGHTS_CORRUPT,
                new GgufBytes()
                        .field("a", 9, concat(GgufBytes.ints(12), GgufBytes.longs(20)))
                        .data(64),
                "ends within a");
        refused(ErrorReason.WEIGHTS_CORRUPT, new GgufBytes().field("b", 7, new byte[] {2}), "truth value 2");
        refused(ErrorReason.WEIGHTS_CORRUPT, new GgufBytes().field("t", 13, new byte[8]), "unknown value type 13");
        refused(ErrorReason.WEIGHTS_CORRUPT, new GgufBytes().uint32("x", 1).uint32("x", 1), "field x twice");
        byte[] many = new GgufBytes().bytes();
        many[8] = 1;
        many[15] = 1;
        refused(ErrorReason.WEIGHTS_CORRUPT, many, "the number of tensors is 72057594037927937");
    }

    @Test
    void refusesArraysNestedTooDeep() throws IOException {
        var bytes = new ByteArrayOutputStream();
        for (int i = 0; i < 10_000; i++) {
            bytes.writeBytes(GgufBytes.ints(9));
            bytes.writeBytes(GgufBytes.longs(1));
        }
        refused(
                ErrorReason.WEIGHTS_CORRUPT,
                new GgufBytes().field("deep", 9, bytes.toByteArray()),
                "deep nests arrays deeper than 4");
    }

    @Test
    void refusesTensorsThatOverlapLeaveTheFileOrAreThereTwice() throws IOException {
        refused(
                ErrorReason.WEIGHTS_CORRUPT,
                new GgufBytes().tensor("a", 0, 0, 64).tensor("b", 0, 128, 32).data(256),
                "tensor a needs 256 bytes from byte 0 of the data, and there are 128");
        refused(
                ErrorReason.WEIGHTS_CORRUPT,
                new GgufBytes().tensor("a", 0, 0, 64).data(255),
                "tensor a needs 256 bytes from byte 0 of the data, and there are 255");
        refused(
                ErrorReason.WEIGHTS_CORRUPT,
                new GgufBytes().tensor("a", 0, 1L << 60, 64).data(256),
                "and there are 0 before the next tensor or the end");
        refused(
                ErrorReason.WEIGHTS_CORRUPT,
                new GgufBytes().tensor("a", 0, 4, 8).data(256),
                "begins at byte 4 of the data, no multiple of the alignment 32");
        refused(
                ErrorReason.WEIGHTS_CORRUPT,
                new GgufBytes().tensor("a", 0, 0, 8).tensor("a", 0, 32, 8).data(256),
                "tensor a is there twice");
        refused(
                ErrorReason.WEIGHTS_CORRUPT,
                new GgufBytes().tensor("a", 0, 0, 1L << 40, 1L << 40).data(256),
                "more than 2^63 bytes");
        refused(
                ErrorReason.WEIGHTS_CORRUPT,
                new GgufBytes().tensor("a", 8, 0, 33).data(256),
                "has rows of 33 elements, no multiple of the 32 of Q8_0");
        refused(
                ErrorReason.WEIGHTS_CORRUPT,
                new GgufBytes().tensor("a", 0, 0, 1, 1, 1, 1, 1).data(256),
                "tensor a has 5 dimensions; the limit is 4");
        refused(
                ErrorReason.WEIGHTS_CORRUPT,
                new GgufBytes().uint32("general.alignment", 24),
                "general.alignment = 24; it must be a power of two");
    }

    @Test
    void refusesEveryTruncation() throws IOException {
        byte[] whole = new GgufBytes()
                .text("general.architecture", "llama")
                .texts("tokenizer.ggml.tokens", List.of("a", "b"))
                .tensor("a", 0, 0, 8)
                .data(32)
                .bytes();
        for (int length = 0; length < whole.length; length++) {
            refused(ErrorReason.WEIGHTS_CORRUPT, Arrays.copyOf(whole, length), "");
        }
    }

    private static byte[] concat(byte[]... parts) {
        var bytes = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            bytes.writeBytes(part);
        }
        return bytes.toByteArray();
    }

    private Path write(byte[] bytes) throws IOException {
        Path file = directory.resolve("model.gguf");
        Files.write(file, bytes);
        return file;
    }

    private void refused(ErrorReason reason, GgufBytes file, String part) throws IOException {
        refused(reason, file.bytes(), part);
    }

    private void refused(ErrorReason reason, byte[] bytes, String part) throws IOException {
        Path file = write(bytes);
        ClusterException refusal = assertThrows(ClusterException.class, () -> GgufFile.open(file));
        assertEquals(reason, refusal.reason());
        assertTrue(refusal.text().startsWith(file + ": "), refusal.text());
        assertTrue(refusal.text().contains(part), refusal.text());
    }
}
