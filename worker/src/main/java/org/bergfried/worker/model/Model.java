package org.bergfried.worker.model;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bergfried.worker.tensor.StoredPart;
import org.jspecify.annotations.Nullable;

/// An open model: its facts, its tensors (mapped) and its texts. Thread-safe; closing unmaps the files.
public interface Model extends AutoCloseable {
    /// The facts.
    ModelSpec spec();

    /// The trunk's tensors.
    TrunkTensors trunk();

    /// A routed expert's matrices.
    TrunkTensors.SwiGlu expert(int layer, int expert);

    /// SHA-256 over the canonical manifest (DESIGN.md section 6), 64 lowercase hexadecimal digits. Computed on first
    /// use.
    String digest();

    /// SHA-256 over the digests of the expert's tensors: what `install` verifies.
    String expertDigest(int layer, int expert);

    /// Which tensor of an expert, in which file, is not what its digest says any more: reads and hashes its bytes.
    /// Empty if all is well.
    Optional<String> expertFault(int layer, int expert);

    /// Which of the model's files is not the one any more that was mapped, and what has become of it; empty if all
    /// are.
    Optional<String> changedFile();

    /// What the files hold of a routed expert, as the manifest lists it.
    List<StoredPart> storedExpert(int layer, int expert);

    /// A routed expert's matrices, made of copies of what [#storedExpert] gives, in its order. Where no product needs
    /// another form, the matrices lie in the memory of the copies.
    TrunkTensors.SwiGlu expertOf(int layer, int expert, List<StoredPart> copies);

    /// Whether a copy has the bytes that its digest in the manifest says.
    boolean intact(StoredPart copy);

    /// Identifies the arithmetic: "b1" + cache precision + float path, for example `b1-f32-d`.
    default String numericsId() {
        return "b1-f32-d";
    }

    /// The model's tokenizer.json, made from the vocabulary where the model is a GGUF; null if the model has no
    /// vocabulary.
    byte @Nullable [] tokenizerJson();

    /// The chat template, or null if the model has none.
    @Nullable
    String chatTemplate();

    /// Template variables that are tokens: bos_token, eos_token and the like, as text.
    Map<String, String> tokenVariables();

    /// Ids that end an answer: the union of config, generation_config, tokenizer_config and GGUF's eos, eot and eom,
    /// ascending.
    int[] stopIds();

    /// Bytes of the model's files.
    long fileBytes();

    @Override
    void close();
}
