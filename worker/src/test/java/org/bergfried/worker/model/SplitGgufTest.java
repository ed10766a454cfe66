package org.bergfried.worker.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.Golden;
import org.bergfried.worker.tensor.StoredTensor;
import org.bergfried.worker.weights.GgufBytes;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A golden GGUF cut into three files as llama.cpp's splitter cuts it.
final class SplitGgufTest {
    private static final int PARTS = 3;
    private static final Path WHOLE = Golden.path("tiny-dsv2-Q4_0.gguf");

    @TempDir
    Path directory;

    @BeforeEach
    void split() throws IOException {
        for (int number = 1; number <= PARTS; number++) {
            Files.write(part(number), bytes(number, UnaryOperator.identity()));
        }
    }

    private Path part(int number) {
        return directory.resolve("tiny-%05d-of-%05d.gguf".formatted(number, PARTS));
    }

    private static byte[] bytes(int number, UnaryOperator<GgufBytes> change) {
        return SplitGguf.part(WHOLE, number, PARTS, change);
    }

    @Test
    void theFirstPartOpensAll() throws IOException {
        assertSameModel(part(1));
    }

    @Test
    void aDirectoryWithOneSplitModelOpensIt() throws IOException {
        assertSameModel(directory);
        Files.copy(WHOLE, directory.resolve("other.gguf"));
        refused(ErrorReason.MODEL_UNSUPPORTED, directory, "has 4 .gguf files");
    }

    private void assertSameModel(Path path) throws IOException {
        try (Model whole = Models.open(WHOLE);
                Model model = Models.open(path)) {
            assertEquals(whole.spec(), model.spec());
            List<StoredTensor> expected = new ArrayList<>(whole.trunk().tensors());
            expected.addAll(whole.expert(2, 7).tensors());
            List<StoredTensor> actual = new ArrayList<>(model.trunk().tensors());
            actual.addAll(model.expert(2, 7).tensors());
            assertEquals(expected.size(), actual.size());
            for (int i = 0; i < expected.size(); i++) {
                assertEquals(expected.get(i).name(), actual.get(i).name());
                assertEquals(-1, expected.get(i).bytes().mismatch(actual.get(i).bytes()));
            }
            assertEquals(whole.expertDigest(1, 3), model.expertDigest(1, 3));
            assertEquals(Optional.empty(), model.expertFault(2, 7));
            long bytes = 0;
            for (int number = 1; number <= PARTS; number++) {
                bytes += Files.size(part(number));
            }
            assertEquals(bytes, model.fileBytes());
            assertEquals(whole.stopIds().length, model.stopIds().length);
        }
    }

    @Test
    void theDigestCoversEveryPart() throws IOException {
        var digests = new ArrayList<String>();
        digests.add(digest());
        for (int number = 1; number <= PARTS; number++) {
            byte[] sound = Files.readAllBytes(part(number));
            byte[] changed = sound.clone();
            changed[changed.length - 64] ^= 1;
            Files.write(part(number), changed);
            digests.add(digest());
            Files.write(part(number), sound);
        }
        assertEquals(PARTS + 1, digests.stream().distinct().count());
        Files.write(part(3), bytes(3, gguf -> gguf.text("general.name", "third")));
        assertNotEquals(digests.getFirst(), digest(), "fields of later parts count too");
    }

    private String digest() {
        try (Model model = Models.open(directory)) {
            return model.digest();
        }
    }

    @Test
    void anotherPartThanTheFirstIsRefusedAndTheFirstNamed() {
        refused(ErrorReason.WEIGHTS_CORRUPT, part(2), "tiny-00001-of-00003.gguf");
    }

    @Test
    void missingPartsAreNamed() throws IOException {
        Files.delete(part(3));
        refused(ErrorReason.WEIGHTS_CORRUPT, part(1), "1 of its 3 parts are missing: tiny-00003-of-00003.gguf");
        Files.delete(part(1));
        refused(ErrorReason.WEIGHTS_CORRUPT, directory, "tiny-00001-of-00003.gguf");
    }

    @Test
    void partsInAnotherOrderAreRefused() throws IOException {
        Files.write(part(2), bytes(3, UnaryOperator.identity()));
        Files.write(part(3), bytes(2, UnaryOperator.identity()));
        refused(ErrorReason.WEIGHTS_CORRUPT, part(1), "split.no = 2; as its name says it must be 1");
        Files.write(part(1), bytes(2, UnaryOperator.identity()));
        refused(ErrorReason.WEIGHTS_CORRUPT, part(1), "split.no = 1; as its name says it must be 0");
    }

    @Test
    void partsOfAnotherModelAreRefused() throws IOException {
        Files.write(
                part(2),
                new GgufBytes().uint16("split.no", 1).uint16("split.count", 4).bytes());
        refused(ErrorReason.WEIGHTS_CORRUPT, part(1), "split.count = 4, and the first part says 3");
        Files.write(part(2), new GgufBytes().uint16("split.no", 1).bytes());
        refused(ErrorReason.WEIGHTS_CORRUPT, part(1), "split.count is missing");
        Files.write(part(2), bytes(2, gguf -> gguf.uint32("deepseek2.expert_count", 64)));
        refused(ErrorReason.WEIGHTS_CORRUPT, part(1), "deepseek2.expert_count = 64, and the first part says 8");
        Files.write(part(2), new GgufBytes().uint16("split.count", PARTS).bytes());
        refused(ErrorReason.WEIGHTS_CORRUPT, part(1), "split.no is missing");
    }

    @Test
    void missingAndDuplicateTensorsAreRefused() throws IOException {
        byte[] without = new GgufBytes()
                .uint16("split.no", 1)
                .uint16("split.count", PARTS)
                .bytes();
        Files.write(part(2), without);
        refused(ErrorReason.WEIGHTS_CORRUPT, part(1), "split.tensors.count = ");
        GgufBytes again = new GgufBytes().uint16("split.no", 1).uint16("split.count", PARTS);
        Files.write(part(2), again.tensor("token_embd.weight", 0, 0, 1).data(32).bytes());
        refused(ErrorReason.WEIGHTS_CORRUPT, part(1), "tensor token_embd.weight is also in ");
    }

    @Test
    void aSplitModelUnderAnotherNameIsRefused() throws IOException {
        Path renamed = directory.resolve("renamed.gguf");
        Files.move(part(1), renamed);
        refused(ErrorReason.WEIGHTS_CORRUPT, renamed, "does not end in -00001-of-00003.gguf");
    }

    private static void refused(ErrorReason reason, Path path, String part) {
        ClusterException refusal = assertThrows(ClusterException.class, () -> Models.open(path));
        assertEquals(reason, refusal.reason(), refusal.text());
        assertTrue(refusal.text().contains(part), refusal.text());
    }
}
