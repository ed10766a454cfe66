package org.bergfried.worker.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.model.Part.Form;
import org.bergfried.worker.weights.Refusals;
import org.bergfried.worker.weights.gguf.GgufPartName;
import org.bergfried.worker.weights.safetensors.SafetensorsDirectory;

/// What a path means: a directory its safetensors (GGUF files beside them are ignored), a directory with nothing but
/// one GGUF that file (of a split one its first part), a .gguf file itself.
///
/// @param form which form.
/// @param path the directory of the safetensors, or the GGUF file.
record ModelFiles(Form form, Path path) {
    private static final String GGUF_SUFFIX = ".gguf";

    static ModelFiles at(Path path) {
        if (Files.isRegularFile(path) && path.toString().endsWith(GGUF_SUFFIX)) {
            return new ModelFiles(Form.GGUF, path);
        }
        if (!Files.isDirectory(path)) {
            throw new ClusterException(
                    ErrorReason.MODEL_NOT_FOUND, path + ": no model directory and no .gguf file is there");
        }
        if (SafetensorsDirectory.present(path)) {
            return new ModelFiles(Form.SAFETENSORS, path);
        }
        List<Path> ggufs = ggufsIn(path);
        Set<Path> models = ggufs.stream().map(ModelFiles::firstPart).collect(Collectors.toSet());
        if (models.size() > 1) {
            throw Refusals.unsupported(
                    path, "has " + ggufs.size() + " .gguf files; give one of them, of a split model the first part");
        }
        if (ggufs.isEmpty() && !Files.exists(path.resolve("config.json"))) {
            throw new ClusterException(
                    ErrorReason.MODEL_NOT_FOUND,
                    path + ": neither config.json nor safetensors nor a .gguf file is in the directory");
        }
        return ggufs.isEmpty()
                ? new ModelFiles(Form.SAFETENSORS, path)
                : new ModelFiles(Form.GGUF, firstPart(ggufs.getFirst()));
    }

    /// The file itself, or the first part of the split one that it is a part of.
    private static Path firstPart(Path gguf) {
        GgufPartName name = GgufPartName.of(gguf);
        return name == null ? gguf : name.path(1);
    }

    private static List<Path> ggufsIn(Path directory) {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(GGUF_SUFFIX))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw Refusals.corrupt(directory, "cannot be listed: " + e);
        }
    }
}
