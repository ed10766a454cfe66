package org.bergfried.worker.model;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.regex.Pattern;
import org.bergfried.contract.ClusterException;
import org.bergfried.worker.weights.JsonTexts;
import org.bergfried.worker.weights.Refusals;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The files of a model as they were once: what `model manifest` writes and `model verify` compares with.
///
/// @param modelDigest of the model that they make up.
/// @param files       sorted by name.
public record FileManifest(String modelDigest, List<Entry> files) {
    private static final String FORMAT = "bergfried-manifest-1";
    private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{64}");

    public FileManifest {
        files = files.stream().sorted(Comparator.comparing(Entry::name)).toList();
    }

    /// One file.
    ///
    /// @param name   within the directory of the model.
    /// @param size   in bytes.
    /// @param sha256 64 lowercase hexadecimal digits.
    public record Entry(String name, long size, String sha256) {}

    /// The same manifest has the same text.
    public String json() {
        ObjectNode root = JsonTexts.object();
        root.put("format", FORMAT).put("modelDigest", modelDigest);
        var list = root.putArray("files");
        for (Entry file : files) {
            list.addObject().put("name", file.name).put("size", file.size).put("sha256", file.sha256);
        }
        return root.toPrettyString() + "\n";
    }

    /// Reads a manifest.
    ///
    /// @throws ClusterException WEIGHTS_CORRUPT if it is none.
    public static FileManifest read(Path file) {
        ObjectNode root = JsonTexts.readObject(file);
        if (!root.path("format").asString("").equals(FORMAT)) {
            throw Refusals.corrupt(file, "is no manifest of a model: its format must be " + FORMAT);
        }
        var names = new HashSet<String>();
        var entries = new ArrayList<Entry>();
        for (JsonNode each : root.path("files")) {
            Entry entry = entry(file, each);
            if (!names.add(entry.name)) {
                throw Refusals.corrupt(file, "names the file " + Refusals.shown(entry.name) + " twice");
            }
            entries.add(entry);
        }
        if (entries.isEmpty()) {
            throw Refusals.corrupt(file, "names no files");
        }
        return new FileManifest(digest(file, root.path("modelDigest")), entries);
    }

    private static Entry entry(Path file, JsonNode node) {
        String name = node.path("name").asString("");
        boolean plain = !name.isEmpty() && !name.contains("/") && !name.contains("\\") && !name.startsWith("..");
        if (!plain || !node.path("size").canConvertToLong() || node.path("size").asLong() < 0) {
            throw Refusals.corrupt(
                    file, "has an entry that is not the name of a file, its size and digest: " + shown(node));
        }
        return new Entry(name, node.path("size").asLong(), digest(file, node.path("sha256")));
    }

    private static String digest(Path file, JsonNode node) {
        String digest = node.asString("");
        if (!DIGEST.matcher(digest).matches()) {
            throw Refusals.corrupt(file, "has a digest that is not 64 hexadecimal digits: " + shown(node));
        }
        return digest;
    }

    private static String shown(JsonNode node) {
        return Refusals.shown(node.toString());
    }
}
