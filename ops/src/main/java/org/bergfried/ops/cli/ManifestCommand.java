package org.bergfried.ops.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bergfried.worker.model.FileCheck;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Writes down what a model's files are.
@Command(
        name = "manifest",
        mixinStandardHelpOptions = true,
        description = {
            "Reads every byte of a model and writes its manifest: the name, size and SHA-256 of each file and the",
            "digest of the model, as JSON. The same files give the same bytes. `model verify` compares with it."
        })
final class ManifestCommand implements Runnable {
    private final Surroundings surroundings;

    @Parameters(paramLabel = "MODEL", description = "A model directory or GGUF file (of a split one the first).")
    private Path model = Path.of("");

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "Where to write it (default: standard output).")
    private @Nullable Path output;

    ManifestCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public void run() {
        String json;
        try (var progress = HashProgress.of(surroundings)) {
            json = new FileCheck(progress).manifest(model).json();
        }
        if (output == null) {
            surroundings.out().print(json);
            surroundings.out().flush();
            return;
        }
        try {
            Files.writeString(output, json);
        } catch (IOException e) {
            throw new CommandFailure(output + " cannot be written: " + e.getMessage(), e);
        }
    }
}
