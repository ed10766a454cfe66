package org.bergfried.worker.model;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Supplier;
import org.bergfried.worker.model.Part.Form;
import org.bergfried.worker.weights.DigestCache;
import org.bergfried.worker.weights.JsonTexts;
import org.bergfried.worker.weights.TensorStore;
import org.bergfried.worker.weights.gguf.GgufFiles;
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
        return open(path, DigestCache.none());
    }

    /// The same with a place to keep digests in.
    public static Model open(Path path, DigestCache cache) {
        ModelFiles files = ModelFiles.at(path);
        return switch (files.form()) {
            case SAFETENSORS -> openSafetensors(files.path(), cache);
            case GGUF -> openGguf(files.path(), cache);
        };
    }

    private static Model openSafetensors(Path directory, DigestCache cache) {
        Path configFile = directory.resolve("config.json");
        var config = new Config(configFile, JsonTexts.readObject(configFile), Map.of());
        String modelType = config.word("model_type", "");
        Family family = Families.named(configFile, modelType);
        Facts facts = SpecReader.read(modelType, family, config.withAliases(family.fields()));
        return assemble(
                SafetensorsDirectory.open(directory),
                Form.SAFETENSORS,
                facts,
                () -> HuggingFaceTexts.read(directory),
                cache);
    }

    private static Model openGguf(Path path, DigestCache cache) {
        GgufFiles file = GgufFiles.open(path);
        return assemble(file, Form.GGUF, ggufFacts(file), () -> GgufTexts.read(file), cache);
    }

    private static Facts ggufFacts(GgufFiles file) {
        try {
            GgufConfig.Said said = GgufConfig.read(file);
            return SpecReader.read(said.architecture(), said.family(), said.config());
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    /// Finds all tensors; closes the store if it cannot.
    private static Model assemble(
            TensorStore store, Form form, Facts facts, Supplier<ModelTexts> texts, DigestCache cache) {
        Arena arena = Arena.ofShared();
        try {
            var tensors = new TensorFinder(store, form);
            ModelSpec spec = RopeDivisors.apply(tensors, facts.spec());
            return new OpenModel(store, tensors, facts.withSpec(spec), arena, texts, cache);
        } catch (RuntimeException e) {
            arena.close();
            store.close();
            throw e;
        }
    }
}
