package org.bergfried.worker.model;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.bergfried.worker.tensor.StoredPart;
import org.bergfried.worker.weights.DigestCache;
import org.bergfried.worker.weights.FileIdentity;
import org.bergfried.worker.weights.Refusals;
import org.bergfried.worker.weights.TensorStore;
import org.jspecify.annotations.Nullable;

/// A model whose files are mapped.
final class OpenModel implements Model {
    private final ModelSpec spec;
    private final TensorStore store;
    private final List<FileIdentity> files; // as they were mapped
    private final Arena arena;
    private final TrunkTensors trunk;
    private final ExpertReader experts;
    private final Manifest manifest;
    private final Supplier<ModelTexts> readTexts;
    private @Nullable ModelTexts texts;

    /// @param arena     owns the private copies of the trunk's tensors; closed with the model.
    /// @param readTexts reads the texts while the files are open.
    OpenModel(
            TensorStore store,
            TensorFinder tensors,
            Facts facts,
            Arena arena,
            Supplier<ModelTexts> readTexts,
            DigestCache cache) {
        this.spec = facts.spec();
        this.store = store;
        this.files = identities(store);
        this.arena = arena;
        this.trunk = new TrunkReader(tensors, facts, new LatentSplit(arena)).read();
        this.experts = new ExpertReader(tensors, facts);
        this.manifest = new Manifest(store, tensors, experts, cache);
        this.readTexts = readTexts;
        tensors.refuseUnused(spec.layers().size());
    }

    @Override
    public ModelSpec spec() {
        return spec;
    }

    @Override
    public TrunkTensors trunk() {
        return trunk;
    }

    @Override
    public TrunkTensors.SwiGlu expert(int layer, int expert) {
        return experts.expert(layer, expert);
    }

    @Override
    public String digest() {
        return manifest.digest();
    }

    @Override
    public String expertDigest(int layer, int expert) {
        return manifest.digest(experts.parts(layer, expert));
    }

    @Override
    public Optional<String> expertFault(int layer, int expert) {
        return manifest.fault(experts.parts(layer, expert));
    }

    @Override
    public List<StoredPart> storedExpert(int layer, int expert) {
        return experts.parts(layer, expert);
    }

    @Override
    public TrunkTensors.SwiGlu expertOf(int layer, int expert, List<StoredPart> copies) {
        return experts.expertOf(layer, expert, copies);
    }

    @Override
    public boolean intact(StoredPart copy) {
        return manifest.intactCopy(copy);
    }

    @Override
    public byte @Nullable [] tokenizerJson() {
        return texts().tokenizerJson();
    }

    @Override
    public @Nullable String chatTemplate() {
        return texts().chatTemplate();
    }

    @Override
    public Map<String, String> tokenVariables() {
        return texts().tokenVariables();
    }

    @Override
    public int[] stopIds() {
        return texts().stopIds().clone();
    }

    /// Texts are read on first use: computing needs none.
    private synchronized ModelTexts texts() {
        ModelTexts known = texts;
        if (known == null) {
            known = readTexts.get();
            texts = known;
        }
        return known;
    }

    @Override
    public Optional<String> changedFile() {
        return files.stream().flatMap(file -> file.change().stream()).findFirst();
    }

    private static List<FileIdentity> identities(TensorStore store) {
        var identities = new ArrayList<FileIdentity>();
        for (Path file : store.files()) {
            try {
                identities.add(FileIdentity.of(file));
            } catch (IOException gone) {
                throw Refusals.corrupt(file, "cannot be looked at: " + gone);
            }
        }
        return List.copyOf(identities);
    }

    @Override
    public long fileBytes() {
        return store.fileBytes();
    }

    @Override
    public void close() {
        store.close();
        arena.close();
    }
}
