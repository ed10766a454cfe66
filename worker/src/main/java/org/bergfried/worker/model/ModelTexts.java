package org.bergfried.worker.model;

import java.nio.file.Path;
import java.util.Map;
import org.bergfried.worker.weights.gguf.GgufFiles;
import org.jspecify.annotations.Nullable;

/// What a model's files say about text: enough to tokenize and render, without tensors or a configuration.
///
/// @param tokenizerJson  bytes of a tokenizer.json, or null if there is no vocabulary.
/// @param chatTemplate   the chat template, or null.
/// @param tokenVariables template variables that are tokens, such as bos_token, as text.
/// @param stopIds        ids that end an answer, ascending.
public record ModelTexts(
        byte @Nullable [] tokenizerJson,
        @Nullable String chatTemplate,
        Map<String, String> tokenVariables,
        int[] stopIds) {
    public ModelTexts {
        tokenVariables = Map.copyOf(tokenVariables);
    }

    /// Reads the texts at a path: a model directory, or a .gguf file (also one without tensors).
    ///
    /// @throws org.bergfried.contract.ClusterException MODEL_UNSUPPORTED if the vocabulary is of an unknown kind.
    public static ModelTexts open(Path path) {
        ModelFiles files = ModelFiles.at(path);
        return switch (files.form()) {
            case SAFETENSORS -> HuggingFaceTexts.read(files.path());
            case GGUF -> {
                try (GgufFiles file = GgufFiles.open(files.path())) {
                    yield GgufTexts.read(file);
                }
            }
        };
    }
}
