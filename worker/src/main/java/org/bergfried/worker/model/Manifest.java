package org.bergfried.worker.model;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.bergfried.contract.Limits;
import org.bergfried.worker.tensor.StoredTensor;
import org.bergfried.worker.weights.DigestCache;
import org.bergfried.worker.weights.Digests;
import org.bergfried.worker.weights.JsonTexts;
import org.bergfried.worker.weights.TensorEntry;
import org.bergfried.worker.weights.TensorStore;
import org.bergfried.worker.weights.gguf.GgufFile;

/// The canonical manifest of a model: a line `name TAB type TAB shape TAB sha256` for every tensor that the model
/// uses (experts of a merged tensor as `name#index`) and for every file of texts, sorted. Its SHA-256 is the model's
/// digest. Thread-safe; what was hashed once is not hashed again.
final class Manifest {
    private static final List<String> TEXT_FILES = List.of(
            "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja");

    private final TensorStore store;
    private final TensorFinder tensors;
    private final ExpertReader experts;
    private final DigestCache cache;
    private final Map<Path, Map<String, String>> known = new HashMap<>(); // file -> name -> digest
    private final Set<Path> changed = new HashSet<>(); // files of which the cache does not know all

    Manifest(TensorStore store, TensorFinder tensors, ExpertReader experts, DigestCache cache) {
        this.store = store;
        this.tensors = tensors;
        this.experts = experts;
        this.cache = cache;
    }

    /// The model's digest.
    synchronized String digest() {
        var lines = new ArrayList<>(textLines());
        for (String name : tensors.used()) {
            TensorEntry entry = entry(name);
            for (StoredTensor tensor : experts.parts(entry.stored())) {
                lines.add(line(entry, tensor));
            }
        }
        for (Path file : changed) {
            cache.store(file, known.getOrDefault(file, Map.of()));
        }
        changed.clear();
        return digestOf(lines);
    }

    /// The digest of one expert: over the lines of what the files hold of it.
    synchronized String digest(List<StoredTensor> expert) {
        var lines = new ArrayList<String>();
        for (StoredTensor tensor : expert) {
            lines.add(line(entryOf(tensor), tensor));
        }
        return digestOf(lines);
    }

    /// Whether the bytes of one expert are still those that were hashed. Others may hash meanwhile.
    boolean intact(List<StoredTensor> expert) {
        for (StoredTensor tensor : expert) {
            if (!digestOf(tensor).equals(Digests.sha256(tensor.bytes()))) {
                return false;
            }
        }
        return true;
    }

    /// Whether a copy of a tensor from elsewhere has the bytes that were hashed for the model's digest.
    boolean intactCopy(StoredTensor copy) {
        String digest = knownDigest(copy);
        return digest.equals(Digests.sha256(copy.bytes()));
    }

    /// Never hashes the copy, which would make any bytes look right.
    private synchronized String knownDigest(StoredTensor copy) {
        TensorEntry entry = entryOf(copy);
        if (!known.getOrDefault(entry.file(), Map.of()).containsKey(copy.name())) {
            digest();
        }
        String digest = known.getOrDefault(entry.file(), Map.of()).get(copy.name());
        if (digest == null) {
            throw new IllegalArgumentException("the manifest has no tensor " + copy.name());
        }
        return digest;
    }

    private TensorEntry entryOf(StoredTensor part) {
        int hash = part.name().lastIndexOf('#');
        return entry(hash < 0 ? part.name() : part.name().substring(0, hash));
    }

    private TensorEntry entry(String name) {
        TensorEntry entry = store.entries().get(name);
        if (entry == null) {
            throw new IllegalStateException("tensor " + name + " was used and is not there");
        }
        return entry;
    }

    private synchronized String digestOf(StoredTensor part) {
        return digestOf(entryOf(part), part);
    }

    private String digestOf(TensorEntry entry, StoredTensor tensor) {
        Map<String, String> digests = known.computeIfAbsent(entry.file(), file -> new HashMap<>(cache.load(file)));
        String digest = digests.get(tensor.name());
        if (digest == null) {
            digest = Digests.sha256(tensor.bytes());
            digests.put(tensor.name(), digest);
            changed.add(entry.file());
        }
        return digest;
    }

    private String line(TensorEntry entry, StoredTensor tensor) {
        String shape =
                String.join(",", tensor.shape().stream().map(String::valueOf).toList());
        return line(tensor.name(), entry.typeName(), shape, digestOf(entry, tensor));
    }

    private List<String> textLines() {
        if (store instanceof GgufFile gguf) {
            // A GGUF's metadata are configuration, vocabulary and template in one.
            return List.of(line(
                    "metadata",
                    "file",
                    Long.toString(gguf.metadataBytes().byteSize()),
                    Digests.sha256(gguf.metadataBytes())));
        }
        var lines = new ArrayList<String>();
        for (String name : TEXT_FILES) {
            Path file = store.path().resolve(name);
            if (Files.exists(file)) {
                byte[] bytes = JsonTexts.readBytes(file, Limits.CARD_BYTES);
                lines.add(line(name, "file", Integer.toString(bytes.length), Digests.sha256(bytes)));
            }
        }
        return lines;
    }

    private static String line(String name, String type, String shape, String digest) {
        return String.join("\t", name, type, shape, digest) + "\n";
    }

    private static String digestOf(Collection<String> lines) {
        return Digests.sha256(String.join("", new TreeSet<>(lines)).getBytes(StandardCharsets.UTF_8));
    }
}
