package org.bergfried.ops.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.bergfried.worker.model.FileCheck;
import org.bergfried.worker.model.FileManifest;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Compares a model's files with a manifest.
@Command(
        name = "verify",
        mixinStandardHelpOptions = true,
        description = {
            "Compares every byte of a model's files with a manifest. Ends with 1 if a file is bad or missing, or if",
            "the engine would read one that the manifest does not have; each is named."
        })
final class VerifyCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Parameters(paramLabel = "MODEL", description = "A model directory or GGUF file (of a split one the first).")
    private Path model = Path.of("");

    @Option(
            names = "--manifest",
            required = true,
            paramLabel = "FILE",
            description = "What `bergfried model manifest` wrote.")
    private Path manifest = Path.of("");

    VerifyCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        if (!Files.exists(model)) {
            throw new CommandFailure(model + " does not exist");
        }
        FileManifest right = FileManifest.read(manifest);
        List<FileCheck.Finding> findings;
        try (var progress = HashProgress.of(surroundings)) {
            findings = new FileCheck(progress).compare(model, right);
        }
        for (FileCheck.Finding finding : findings) {
            String verdict = finding.verdict().name().toLowerCase(Locale.ROOT);
            surroundings.out().printf("%-8s %s %s%n", verdict, finding.file(), finding.why());
        }
        if (findings.isEmpty()) {
            surroundings
                    .out()
                    .println("all " + right.files().size() + " files are as in the manifest; model digest "
                            + right.modelDigest());
            return 0;
        }
        surroundings.err().println("bergfried: " + findings.size() + " files are not as in the manifest");
        return BergfriedMain.FAILED;
    }
}
