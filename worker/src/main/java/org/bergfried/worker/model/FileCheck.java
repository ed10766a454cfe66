package org.bergfried.worker.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bergfried.worker.weights.Digests;
import org.bergfried.worker.weights.Refusals;
import org.bergfried.worker.weights.gguf.GgufFiles;
import org.bergfried.worker.weights.safetensors.SafetensorsDirectory;

/// Hashes the files of a model, for a new manifest or to compare with one.
public final class FileCheck {
    /// Is told how far the hashing is.
    public interface Progress {
        /// Before the first byte.
        void begin(int files, long bytes);

        /// So many further bytes were read of a file.
        void read(String file, long bytes);

        /// The tensors are now read once more, for the digest of the model.
        void beginModelDigest();

        /// A file is done.
        void done(String file, Verdict verdict);
    }

    /// What became of a file.
    public enum Verdict {
        /// Its digest was taken, or is that of the manifest.
        GOOD,
        /// Its size or its bytes differ from the manifest, or it cannot be read.
        BAD,
        /// The manifest has it, the directory does not.
        MISSING,
        /// The engine would read it, and the manifest does not have it.
        EXTRA
    }

    /// A file that is not as the manifest has it.
    ///
    /// @param why in words.
    public record Finding(String file, Verdict verdict, String why) {}

    private final Progress progress;

    /// A check that tells how far it is.
    public FileCheck(Progress progress) {
        this.progress = progress;
    }

    /// Hashes every file of a sound model.
    ///
    /// @throws org.bergfried.contract.ClusterException as [Models#open] does.
    public FileManifest manifest(Path path) {
        try (Model model = Models.open(path)) {
            List<Path> files = files(ModelFiles.at(path));
            progress.begin(
                    files.size(), files.stream().mapToLong(FileCheck::size).sum());
            var entries = new ArrayList<FileManifest.Entry>();
            for (Path file : files) {
                String name = name(file);
                entries.add(new FileManifest.Entry(name, size(file), digest(file)));
                progress.done(name, Verdict.GOOD);
            }
            progress.beginModelDigest();
            return new FileManifest(model.digest(), entries);
        }
    }

    /// Compares the files at a path with a manifest. The model need not be sound.
    public List<Finding> compare(Path path, FileManifest manifest) {
        Path directory = Files.isDirectory(path) ? path : path.resolveSibling("");
        var findings = new ArrayList<Finding>();
        progress.begin(
                manifest.files().size(),
                manifest.files().stream().mapToLong(FileManifest.Entry::size).sum());
        for (FileManifest.Entry entry : manifest.files()) {
            Finding finding = compare(directory.resolve(entry.name()), entry);
            if (finding.verdict != Verdict.GOOD) {
                findings.add(finding);
            }
            progress.done(entry.name(), finding.verdict);
        }
        Set<String> known =
                manifest.files().stream().map(FileManifest.Entry::name).collect(Collectors.toSet());
        for (String name : read(path, directory, known)) {
            if (!known.contains(name)) {
                findings.add(new Finding(name, Verdict.EXTRA, "is not in the manifest"));
                progress.done(name, Verdict.EXTRA);
            }
        }
        return findings;
    }

    private Finding compare(Path file, FileManifest.Entry entry) {
        if (!Files.isRegularFile(file)) {
            return new Finding(entry.name(), Verdict.MISSING, "is missing");
        }
        try {
            long size = Files.size(file);
            if (size != entry.size()) {
                String why = "has " + size + " bytes, " + entry.size() + " are right";
                return new Finding(entry.name(), Verdict.BAD, why);
            }
            String digest = Digests.sha256(file, bytes -> progress.read(entry.name(), bytes));
            return digest.equals(entry.sha256())
                    ? new Finding(entry.name(), Verdict.GOOD, "")
                    : new Finding(
                            entry.name(), Verdict.BAD, "has the SHA-256 " + digest + ", right is " + entry.sha256());
        } catch (IOException e) {
            return new Finding(entry.name(), Verdict.BAD, "cannot be read: " + e);
        }
    }

    /// The files that make up a sound model.
    private static List<Path> files(ModelFiles model) {
        return switch (model.form()) {
            case GGUF -> {
                try (GgufFiles gguf = GgufFiles.open(model.path())) {
                    yield gguf.files();
                }
            }
            case SAFETENSORS -> {
                var files = new ArrayList<Path>();
                for (String name : Manifest.TEXT_FILES) {
                    files.add(model.path().resolve(name));
                }
                files.add(model.path().resolve(SafetensorsDirectory.INDEX));
                files.removeIf(file -> !Files.exists(file));
                try (SafetensorsDirectory weights = SafetensorsDirectory.open(model.path())) {
                    files.addAll(weights.files());
                }
                yield files;
            }
        };
    }

    /// Names in the directory that opening the path might read: files of the same kind as the manifest has.
    private static List<String> read(Path path, Path directory, Set<String> known) {
        if (!Files.isDirectory(path)) {
            return List.of(name(path));
        }
        boolean gguf = known.stream().anyMatch(name -> name.endsWith(".gguf"));
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(FileCheck::name)
                    .filter(name -> gguf ? name.endsWith(".gguf") : isOfSafetensors(name))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw Refusals.corrupt(directory, "cannot be listed: " + e);
        }
    }

    private static boolean isOfSafetensors(String name) {
        return name.endsWith(".safetensors")
                || name.equals(SafetensorsDirectory.INDEX)
                || Manifest.TEXT_FILES.contains(name);
    }

    private String digest(Path file) {
        try {
            return Digests.sha256(file, bytes -> progress.read(name(file), bytes));
        } catch (IOException e) {
            throw Refusals.corrupt(file, "cannot be read: " + e);
        }
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw Refusals.corrupt(file, "cannot be read: " + e);
        }
    }

    private static String name(Path file) {
        return String.valueOf(file.getFileName());
    }
}
