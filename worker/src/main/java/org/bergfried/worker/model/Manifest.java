package org.bergfried.worker.model;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.bergfried.contract.Limits;
import org.bergfried.worker.tensor.StoredPart;
import org.bergfried.worker.weights.DigestCache;
import org.bergfried.worker.weights.Digests;
import org.bergfried.worker.weights.JsonTexts;
import org.bergfried.worker.weights.TensorEntry;
import org.bergfried.worker.weights.TensorStore;
import org.bergfried.worker.weights.gguf.GgufFiles;

/// The canonical manifest of a model: a line `name TAB type TAB shape TAB sha256` for every tensor that the model
/// uses (experts of a merged tensor as `name#index`) and for every file of texts, sorted. Its SHA-256 is the model's
/// digest. Thread-safe; what was hashed once is not hashed again.
final class Manifest {
    /// Files of texts in a directory of safetensors.
    static final List<String> TEXT_FILES = List.of(
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
        return digestOf(lines());
    }

    /// The lines, each with its end, sorted.
    synchronized SortedSet<String> lines() {
        var lines = new TreeSet<>(textLines());
        for (String name : tensors.used()) {
            for (StoredPart part : experts.parts(entry(name))) {
                lines.add(line(part));
            }
        }
        for (Path file : changed) {
            cache.store(file, known.getOrDefault(file, Map.of()));
        }
        changed.clear();
        return lines;
    }

    /// The digest of one expert: over the lines of what the files hold of it.
    synchronized String digest(List<StoredPart> expert) {
        var lines = new ArrayList<String>();
        for (StoredPart part : expert) {
            lines.add(line(part));
        }
        return digestOf(lines);
    }

    /// Which tensor of one expert does not have the bytes any more that were hashed, and in which file; empty if all
    /// have. Others may hash meanwhile.
    Optional<String> fault(List<StoredPart> expert) {
        for (StoredPart part : expert) {
            if (!digestOf(part).equals(Digests.sha256(part.bytes()))) {
                return Optional.of(
                        "tensor " + part.name() + " in " + entryOf(part.name()).file());
            }
        }
        return Optional.empty();
    }

    /// Whether a copy of a part from elsewhere has the bytes that were hashed for the model's digest.
    boolean intactCopy(StoredPart copy) {
        String digest = knownDigest(copy);
        return digest.equals(Digests.sha256(copy.bytes()));
    }

    /// Never hashes the copy, which would make any bytes look right.
    private synchronized String knownDigest(StoredPart copy) {
        TensorEntry entry = entryOf(copy.name());
        if (!known.getOrDefault(entry.file(), Map.of()).containsKey(copy.name())) {
            digest();
        }
        String digest = known.getOrDefault(entry.file(), Map.of()).get(copy.name());
        if (digest == null) {
            throw new IllegalArgumentException("the manifest has no tensor " + copy.name());
        }
        return digest;
    }

    /// A tensor as one part.
    static StoredPart part(TensorEntry entry) {
        return new StoredPart(entry.name(), entry.shape(), entry.bytes());
    }

    /// What a tensor of all experts holds of one: a matrix, sizes between the first and the last folded.
    static StoredPart part(TensorEntry entry, int expert) {
        List<Long> all = entry.shape();
        long rows = 1;
        for (long n : all.subList(1, all.size() - 1)) {
            rows *= n;
        }
        long size = entry.bytes().byteSize() / all.getFirst();
        return new StoredPart(
                entry.name() + "#" + expert,
                List.of(rows, all.getLast()),
                entry.bytes().asSlice(expert * size, size));
    }

    private TensorEntry entryOf(String part) {
        int hash = part.lastIndexOf('#');
        return entry(hash < 0 ? part : part.substring(0, hash));
    }

    private TensorEntry entry(String name) {
        TensorEntry entry = store.entries().get(name);
        if (entry == null) {
            throw new IllegalStateException("tensor " + name + " was used and is not there");
        }
        return entry;
    }

    private synchronized String digestOf(StoredPart part) {
        Path file = entryOf(part.name()).file();
        Map<String, String> digests = known.computeIfAbsent(file, f -> new HashMap<>(cache.load(f)));
        String digest = digests.get(part.name());
        if (digest == null) {
            digest = Digests.sha256(part.bytes());
            cache.missed(part.bytes().byteSize());
            digests.put(part.name(), digest);
            changed.add(file);
        }
        return digest;
    }

    private String line(StoredPart part) {
        String shape =
                String.join(",", part.shape().stream().map(String::valueOf).toList());
        return line(part.name(), entryOf(part.name()).typeName(), shape, digestOf(part));
    }

    private List<String> textLines() {
        if (store instanceof GgufFiles gguf) {
            return metadataLines(gguf);
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

    /// A GGUF's metadata are configuration, vocabulary and template in one; further parts of a split one have theirs.
    private static List<String> metadataLines(GgufFiles gguf) {
        var lines = new ArrayList<String>();
        for (MemorySegment bytes : gguf.metadataBytes()) {
            String name = lines.isEmpty() ? "metadata" : "metadata#" + lines.size();
            lines.add(line(name, "file", Long.toString(bytes.byteSize()), Digests.sha256(bytes)));
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
