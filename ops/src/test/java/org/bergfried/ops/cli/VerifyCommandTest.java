package org.bergfried.ops.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.bergfried.contract.Clock;
import org.bergfried.worker.model.FileCheck;
import org.bergfried.worker.model.FileManifest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `model manifest` and `model verify` on a copy of the demo model.
final class VerifyCommandTest {
    private static final Path DEMO = Path.of("demo-model").toAbsolutePath();
    private static final List<String> FILES =
            List.of("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json");

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @TempDir
    private Path folder = Path.of("");

    private Path model = Path.of("");
    private Path manifest = Path.of("");

    @BeforeEach
    void copyDemo() throws IOException {
        model = Files.createDirectory(folder.resolve("model"));
        manifest = folder.resolve("manifest.json");
        for (String name : FILES) {
            Files.copy(DEMO.resolve(name), model.resolve(name));
        }
        assertEquals(0, run("manifest", model.toString(), "-o", manifest.toString()), this::said);
    }

    @Test
    void theManifestNamesEveryFileAndIsTheSameEachTime() throws IOException {
        FileManifest read = FileManifest.read(manifest);
        assertEquals(FILES, read.files().stream().map(FileManifest.Entry::name).toList());
        assertEquals(
                Files.size(model.resolve("config.json")),
                read.files().getFirst().size());
        out.reset();
        assertEquals(0, run("manifest", model.toString()));
        assertEquals(Files.readString(manifest), text(out));
        assertTrue(text(err).contains("good model.safetensors"), this::said);
    }

    @Test
    void filesThatAreTheSamePass() {
        assertEquals(0, verify(), this::said);
        assertTrue(text(out).startsWith("all 4 files are as in the manifest; model digest "), this::said);
    }

    @Test
    void badMissingAndExtraFilesAreNamed() throws IOException {
        byte[] weights = Files.readAllBytes(model.resolve("model.safetensors"));
        weights[weights.length / 2] ^= 1;
        Files.write(model.resolve("model.safetensors"), weights);
        Files.writeString(model.resolve("tokenizer_config.json"), "{}");
        Files.delete(model.resolve("config.json"));
        Files.writeString(model.resolve("chat_template.jinja"), "{{ bos_token }}");
        Files.writeString(model.resolve("README.md"), "no part of the model");
        assertEquals(BergfriedMain.FAILED, verify());
        List<String> lines = text(out).lines().toList();
        assertEquals(4, lines.size(), this::said);
        assertEquals("missing  config.json is missing", lines.get(0));
        assertTrue(lines.get(1).startsWith("bad      model.safetensors has the SHA-256 "), this::said);
        assertTrue(lines.get(2).startsWith("bad      tokenizer_config.json has 2 bytes, "), this::said);
        assertEquals("extra    chat_template.jinja is not in the manifest", lines.get(3));
        assertTrue(text(err).contains("4 files are not as in the manifest"), this::said);
    }

    @Test
    void ofAGgufFileTheFileAloneCounts() throws IOException {
        Path gguf = Files.copy(DEMO.resolve("demo-Q4_0.gguf"), folder.resolve("demo.gguf"));
        Files.copy(gguf, folder.resolve("other.gguf"));
        assertEquals(0, run("manifest", gguf.toString(), "-o", manifest.toString()), this::said);
        assertEquals(0, run("verify", gguf.toString(), "--manifest", manifest.toString()), this::said);
        out.reset();
        String other = folder.resolve("other.gguf").toString();
        assertEquals(BergfriedMain.FAILED, run("verify", other, "--manifest", manifest.toString()));
        assertTrue(text(out).contains("extra    other.gguf"), this::said);
    }

    @Test
    void whatIsNoManifestIsRefused() throws IOException {
        String sound = Files.readString(manifest);
        for (String[] change : new String[][] {
            {"bergfried-manifest-1", "bergfried-manifest-2", "its format must be"},
            {"config.json", "../config.json", "has an entry that is not the name of a file"},
            {"tokenizer_config.json", "config.json", "names the file config.json twice"},
            {"\"sha256\" : \"", "\"sha256\" : \"0", "not 64 hexadecimal digits"}
        }) {
            assertTrue(sound.contains(change[0]), change[0]);
            Files.writeString(manifest, sound.replace(change[0], change[1]));
            err.reset();
            assertEquals(BergfriedMain.FAILED, verify());
            assertTrue(text(err).contains(change[2]), this::said);
        }
    }

    @Test
    void aTerminalShowsABarAndTakesItAway() {
        var clock = new SteppingClock();
        try (var progress = new HashProgress(new PrintStream(err, true, StandardCharsets.UTF_8), clock, true)) {
            err.reset();
            progress.begin(1, 4 << 20);
            progress.read("a", 1 << 20);
            progress.read("a", 1 << 20);
            progress.done("a", FileCheck.Verdict.GOOD);
        }
        String bar = "\r[" + "#".repeat(15) + " ".repeat(15) + "]  50 %  2.0 MiB of 4.0 MiB  14 MB/s  a";
        assertTrue(text(err).contains(bar), this::said);
        assertTrue(text(err).endsWith("\r\u001b[K"), this::said);
        assertFalse(text(err).contains("good"), this::said);
    }

    /// Each look is a twentieth of a second after the one before.
    private static final class SteppingClock implements Clock {
        private long nanos;

        @Override
        public long nanoTime() {
            nanos += 50_000_000;
            return nanos;
        }

        @Override
        public long wallMillis() {
            return nanos / 1_000_000;
        }
    }

    private int verify() {
        return run("verify", model.toString(), "--manifest", manifest.toString());
    }

    private int run(String command, String... arguments) {
        String[] line =
                Stream.concat(Stream.of("model", command), Stream.of(arguments)).toArray(String[]::new);
        return new CommandRun(folder, out, err).run(line);
    }

    private String said() {
        return text(out) + text(err);
    }

    private static String text(ByteArrayOutputStream stream) {
        return stream.toString(StandardCharsets.UTF_8);
    }
}
