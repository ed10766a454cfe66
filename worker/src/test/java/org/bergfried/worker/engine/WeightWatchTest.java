package org.bergfried.worker.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.bergfried.worker.Golden;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.model.Models;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class WeightWatchTest {
    private final List<String> heard = new CopyOnWriteArrayList<>();

    @TempDir
    private Path folder = Path.of("");

    private interface Change {
        void make(Path file) throws IOException;
    }

    @Test
    void aFileThatIsTheSameIsNoChange() throws IOException {
        assertEquals(List.of(), after(file -> Files.readAllBytes(file)));
    }

    @Test
    void aFileThatWasWrittenToIsNamed() throws IOException {
        assertSaid("was written to", after(file -> Files.setLastModifiedTime(file, FileTime.fromMillis(1))));
    }

    @Test
    void aFileThatWasCutOffIsNamedWithItsSizes() throws IOException {
        assertSaid("has 1000 bytes and had ", after(file -> {
            try (var writable = new RandomAccessFile(file.toFile(), "rw")) {
                writable.setLength(1000);
            }
        }));
    }

    @Test
    void anotherFileInItsPlaceIsNamed() throws IOException {
        assertSaid("was replaced by another file", after(file -> {
            Path other = Files.copy(file, folder.resolve("other"), StandardCopyOption.COPY_ATTRIBUTES);
            Files.move(other, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        }));
    }

    @Test
    void aFileThatIsGoneIsNamed() throws IOException {
        assertSaid("is not there any more", after(Files::delete));
    }

    /// What a watch says after a change, asked twice.
    private List<String> after(Change change) throws IOException {
        Path file = Files.copy(Golden.path("tiny-dsv2-Q8_0.gguf"), folder.resolve("model.gguf"));
        try (Model model = Models.open(file);
                var watch = new WeightWatch(model, heard::add)) {
            assertFalse(watch.check());
            change.make(file);
            assertEquals(watch.check(), watch.check());
            assertEquals(!heard.isEmpty(), watch.check());
        }
        return heard;
    }

    private void assertSaid(String what, List<String> said) {
        assertEquals(1, said.size(), said.toString());
        assertTrue(said.getFirst().startsWith(folder.resolve("model.gguf") + " " + what), said.toString());
    }
}
