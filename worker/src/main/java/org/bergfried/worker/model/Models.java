package org.bergfried.worker.model;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Map;
import org.bergfried.worker.model.Part.Form;
import org.bergfried.worker.weights.JsonTexts;
import org.bergfried.worker.weights.TensorStore;
import org.bergfried.worker.weights.safetensors.SafetensorsDirectory;

/// Opens models.
public final class Models {
    private Models() {}

    /// Opens the model at a path: a directory means its safetensors (GGUF files beside them are ignored), a directory
    /// with only one GGUF means that, a .gguf file means itself. Every tensor that the configuration asks for is
    /// found and its shape checked; weights are read later.
    ///
    /// @throws org.bergfried.contract.ClusterException MODEL_NOT_FOUND if nothing is there, MODEL_UNSUPPORTED if
    ///     something that changes numbers is not understood, WEIGHTS_CORRUPT if files are damaged or incomplete.
    public static Model open(Path path) {
        ModelFiles files = ModelFiles.at(path);
        return switch (files.form()) {
            case SAFETENSORS -> openSafetensors(files.path());
            case GGUF -> throw new UnsupportedOperationException();
        };
    }

    private static Model openSafetensors(Path directory) {
        Path configFile = directory.resolve("config.json");
        var config = new Config(configFile, JsonTexts.readObject(configFile), Map.of());
        String modelType = config.word("model_type", "");
        Family family = Families.named(configFile, modelType);
        ModelSpec spec = SpecReader.read(modelType, family, config);
        boolean attentionBias = config.flag("attention_bias", false);
        ModelTexts texts = HuggingFaceTexts.read(directory);
        TensorStore store = SafetensorsDirectory.open(directory);
        return assemble(store, Form.SAFETENSORS, family, spec, attentionBias, texts);
    }

    private static Model assemble(
            TensorStore store, Form form, Family family, ModelSpec spec, boolean attentionBias, ModelTexts texts) {
        Arena arena = Arena.ofShared();
        try {
            var tensors = new TensorFinder(store, form);
            TrunkTensors trunk = new TrunkReader(tensors, family, spec, new LatentSplit(arena), attentionBias).read();
            var experts = new ExpertReader(tensors, spec);
            tensors.refuseUnused(spec.layers().size());
            return new OpenModel(spec, store, arena, trunk, experts, texts);
        } catch (RuntimeException e) {
            arena.close();
            store.close();
            throw e;
        }
    }
}
