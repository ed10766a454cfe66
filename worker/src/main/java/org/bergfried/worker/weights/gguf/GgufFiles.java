package org.bergfried.worker.weights.gguf;

import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bergfried.contract.ClusterException;
import org.bergfried.worker.weights.Refusals;
import org.bergfried.worker.weights.TensorEntry;
import org.bergfried.worker.weights.TensorStore;

/// A model's GGUF: one file, or the parts `NAME-00001-of-0000N.gguf` of a split one. The first part has the metadata,
/// every part has its number (`split.no`, from 0), how many there are and how many tensors they have together.
public final class GgufFiles implements TensorStore {
    private static final int PARTS_MAX = 4096;
    private static final String NUMBER = "split.no";
    private static final String COUNT = "split.count";
    private static final String TENSORS = "split.tensors.count";

    private final List<GgufFile> parts;
    private final Map<String, TensorEntry> entries;

    private GgufFiles(List<GgufFile> parts, Map<String, TensorEntry> entries) {
        this.parts = List.copyOf(parts);
        this.entries = Collections.unmodifiableMap(entries);
    }

    /// Opens a file, and with the first part of a split one all others.
    ///
    /// @throws ClusterException WEIGHTS_CORRUPT if a part is missing or contradicts the others, by name.
    public static GgufFiles open(Path path) {
        var parts = new ArrayList<GgufFile>();
        try {
            parts.add(GgufFile.open(path));
            openOthers(parts);
            return new GgufFiles(parts, joined(parts));
        } catch (RuntimeException e) {
            parts.forEach(GgufFile::close);
            throw e;
        }
    }

    private static void openOthers(List<GgufFile> parts) {
        GgufFile first = parts.getFirst();
        int count = Math.toIntExact(whole(first, COUNT, PARTS_MAX, 1));
        if (count <= 1) {
            return;
        }
        GgufPartName name = GgufPartName.of(first.path());
        if (name == null || name.count() != count) {
            throw Refusals.corrupt(
                    first.path(),
                    COUNT + " = " + count + ", and its name does not end in " + GgufPartName.ending(1, count)
                            + "; give the file its name back or merge the parts");
        }
        if (name.number() != 1) {
            throw Refusals.corrupt(first.path(), "is not the first part; give " + name.path(1));
        }
        requireAll(first, name);
        requireNumber(first, 0);
        for (int number = 2; number <= count; number++) {
            GgufFile part = GgufFile.open(name.path(number));
            parts.add(part);
            requireNumber(part, number - 1);
            requireSame(part, first);
        }
    }

    private static void requireAll(GgufFile first, GgufPartName name) {
        List<Path> missing =
                name.paths().stream().filter(part -> !Files.isRegularFile(part)).toList();
        if (!missing.isEmpty()) {
            throw Refusals.corrupt(
                    first.path(),
                    missing.size() + " of its " + name.count() + " parts are missing: "
                            + Refusals.shown(String.join(
                                    ", ",
                                    missing.stream()
                                            .map(part -> part.getFileName().toString())
                                            .toList()))
                            + "; fetch them again");
        }
    }

    private static void requireNumber(GgufFile part, int number) {
        long stated = whole(part, NUMBER, PARTS_MAX, -1);
        if (stated != number) {
            throw Refusals.corrupt(
                    part.path(),
                    (stated < 0 ? NUMBER + " is missing" : NUMBER + " = " + stated) + "; as its name says it must be "
                            + number + ": parts were renamed or mixed");
        }
    }

    /// Counts are the same in all parts, and no part says otherwise than the first what it says again.
    private static void requireSame(GgufFile part, GgufFile first) {
        part.metadata().forEach((key, value) -> {
            GgufValue other = first.metadata().get(key);
            boolean ofPart = key.equals(NUMBER) || key.startsWith("general.");
            if (!ofPart && (other == null || !other.shown().equals(value.shown()))) {
                throw Refusals.corrupt(
                        part.path(),
                        Refusals.shown(key) + " = " + Refusals.shown(value.shown()) + ", and the first part "
                                + (other == null ? "has no such field" : "says " + Refusals.shown(other.shown()))
                                + ": parts of different models");
            }
        });
        if (whole(part, COUNT, PARTS_MAX, 0) == 0) {
            throw Refusals.corrupt(part.path(), COUNT + " is missing: it is no part of a split model");
        }
    }

    private static Map<String, TensorEntry> joined(List<GgufFile> parts) {
        var entries = new LinkedHashMap<String, TensorEntry>();
        for (GgufFile part : parts) {
            part.entries().forEach((name, entry) -> {
                TensorEntry before = entries.put(name, entry);
                if (before != null) {
                    throw Refusals.corrupt(
                            part.path(), "tensor " + Refusals.shown(name) + " is also in " + before.file());
                }
            });
        }
        GgufFile first = parts.getFirst();
        long stated = whole(first, TENSORS, Integer.MAX_VALUE, entries.size());
        if (parts.size() > 1 && stated != entries.size()) {
            throw Refusals.corrupt(
                    first.path(),
                    TENSORS + " = " + stated + ", and its " + parts.size() + " parts have " + entries.size()
                            + " tensors; fetch them again");
        }
        return entries;
    }

    private static long whole(GgufFile part, String key, long max, long fallback) {
        GgufValue value = part.metadata().get(key);
        if (value == null) {
            return fallback;
        }
        if (value instanceof GgufValue.Whole(long number) && number >= 0 && number <= max) {
            return number;
        }
        throw Refusals.corrupt(
                part.path(),
                key + " = " + Refusals.shown(value.shown()) + "; it must be a whole number from 0 to " + max);
    }

    /// The metadata of the model, in the order of the first file.
    public Map<String, GgufValue> metadata() {
        return parts.getFirst().metadata();
    }

    /// The bytes of each file up to the end of its metadata.
    public List<MemorySegment> metadataBytes() {
        return parts.stream().map(GgufFile::metadataBytes).toList();
    }

    @Override
    public Path path() {
        return parts.getFirst().path();
    }

    @Override
    public Map<String, TensorEntry> entries() {
        return entries;
    }

    @Override
    public List<Path> files() {
        return parts.stream().map(GgufFile::path).toList();
    }

    @Override
    public long fileBytes() {
        return parts.stream().mapToLong(GgufFile::fileBytes).sum();
    }

    @Override
    public void close() {
        parts.forEach(GgufFile::close);
    }
}
