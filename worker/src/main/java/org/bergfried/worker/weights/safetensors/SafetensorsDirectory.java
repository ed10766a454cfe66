package org.bergfried.worker.weights.safetensors;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.bergfried.contract.ClusterException;
import org.bergfried.worker.weights.JsonTexts;
import org.bergfried.worker.weights.Refusals;
import org.bergfried.worker.weights.TensorEntry;
import org.bergfried.worker.weights.TensorStore;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/// The safetensors of a model directory: the shards that `model.safetensors.index.json` names, else
/// `model.safetensors`. The index's `weight_map` is the authority: what it does not name is not there.
public final class SafetensorsDirectory implements TensorStore {
    /// The file of a model in one piece.
    public static final String SINGLE = "model.safetensors";

    /// The index of a model in shards.
    public static final String INDEX = "model.safetensors.index.json";

    private static final int SHARDS_MAX = 4096;
    private static final int NAMED_MAX = 5;

    private final Path path;
    private final List<SafetensorsFile> shards;
    private final Map<String, TensorEntry> entries;

    private SafetensorsDirectory(Path path, List<SafetensorsFile> shards, Map<String, TensorEntry> entries) {
        this.path = path;
        this.shards = List.copyOf(shards);
        this.entries = Collections.unmodifiableMap(entries);
    }

    /// Whether a directory holds safetensors.
    public static boolean present(Path directory) {
        return Files.exists(directory.resolve(INDEX)) || Files.exists(directory.resolve(SINGLE));
    }

    /// Opens the file or all shards.
    ///
    /// @throws ClusterException WEIGHTS_CORRUPT if shards or tensors are missing, by name.
    public static SafetensorsDirectory open(Path directory) {
        Path index = directory.resolve(INDEX);
        return Files.exists(index) ? openShards(directory, index) : openSingle(directory);
    }

    private static SafetensorsDirectory openSingle(Path directory) {
        SafetensorsFile file = SafetensorsFile.open(directory.resolve(SINGLE));
        return new SafetensorsDirectory(directory, List.of(file), new LinkedHashMap<>(file.entries()));
    }

    private static SafetensorsDirectory openShards(Path directory, Path index) {
        Map<String, String> shardOfTensor = readWeightMap(index);
        var shardNames = new TreeSet<>(shardOfTensor.values());
        requireShards(directory, index, shardNames);
        var shards = new TreeMap<String, SafetensorsFile>();
        try {
            for (String name : shardNames) {
                shards.put(name, SafetensorsFile.open(directory.resolve(name)));
            }
            return new SafetensorsDirectory(
                    directory, new ArrayList<>(shards.values()), collect(index, shardOfTensor, shards));
        } catch (RuntimeException e) {
            shards.values().forEach(SafetensorsFile::close);
            throw e;
        }
    }

    private static Map<String, TensorEntry> collect(
            Path index, Map<String, String> shardOfTensor, Map<String, SafetensorsFile> shards) {
        var entries = new LinkedHashMap<String, TensorEntry>();
        var missing = new ArrayList<String>();
        shardOfTensor.forEach((tensor, shardName) -> {
            SafetensorsFile shard = shards.get(shardName);
            TensorEntry entry = shard == null ? null : shard.entries().get(tensor);
            if (entry == null) {
                missing.add(tensor + " (" + shardName + ")");
            } else {
                entries.put(tensor, entry);
            }
        });
        if (!missing.isEmpty()) {
            throw Refusals.corrupt(index, "tensors that it names are not in their shards: " + some(missing));
        }
        return entries;
    }

    private static void requireShards(Path directory, Path index, Set<String> names) {
        var missing = new ArrayList<String>();
        for (String name : names) {
            if (name.contains("/") || name.contains("\\") || !name.endsWith(".safetensors")) {
                throw Refusals.corrupt(
                        index,
                        "names the shard " + Refusals.shown(name)
                                + "; a shard is a .safetensors file in the directory itself");
            }
            if (!Files.isRegularFile(directory.resolve(name))) {
                missing.add(name);
            }
        }
        if (!missing.isEmpty()) {
            throw Refusals.corrupt(index, "shards that it names are missing: " + some(missing) + "; fetch them again");
        }
        if (names.isEmpty() || names.size() > SHARDS_MAX) {
            throw Refusals.corrupt(index, "names " + names.size() + " shards; 1 to " + SHARDS_MAX + " are possible");
        }
    }

    private static Map<String, String> readWeightMap(Path index) {
        byte[] json = JsonTexts.readBytes(index, SafetensorsHeader.JSON_BYTES_MAX);
        var map = new LinkedHashMap<String, String>();
        try (JsonParser parser = JsonTexts.parser(json)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw Refusals.corrupt(index, "is no JSON object");
            }
            while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                String field = parser.currentName();
                JsonToken value = parser.nextToken();
                if (field.equals("weight_map") && value == JsonToken.START_OBJECT) {
                    readEntries(parser, index, map);
                } else {
                    parser.skipChildren();
                }
            }
        } catch (JacksonException e) {
            throw JsonTexts.broken(index, "is no valid JSON", e);
        }
        return map;
    }

    private static void readEntries(JsonParser parser, Path index, Map<String, String> map) {
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String tensor = parser.currentName();
            if (parser.nextToken() != JsonToken.VALUE_STRING) {
                throw Refusals.corrupt(index, "weight_map has no file name for " + Refusals.shown(tensor));
            }
            map.put(tensor, parser.getString());
        }
    }

    private static String some(List<String> names) {
        String shown = Refusals.shown(String.join(", ", names.subList(0, Math.min(NAMED_MAX, names.size()))));
        return names.size() <= NAMED_MAX ? shown : shown + " and " + (names.size() - NAMED_MAX) + " more";
    }

    @Override
    public Path path() {
        return path;
    }

    @Override
    public Map<String, TensorEntry> entries() {
        return entries;
    }

    @Override
    public List<Path> files() {
        return shards.stream().map(SafetensorsFile::path).toList();
    }

    @Override
    public long fileBytes() {
        return shards.stream().mapToLong(SafetensorsFile::fileBytes).sum();
    }

    @Override
    public void close() {
        shards.forEach(SafetensorsFile::close);
    }
}
