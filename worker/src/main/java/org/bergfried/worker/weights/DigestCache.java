package org.bergfried.worker.weights;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Remembers the digests of what a model file holds, so that a start hashes only files that changed. A file is the
/// same as long as path, size, time of change and inode are. It is a cache: whatever is wrong with it costs time
/// only.
public final class DigestCache {
    private static final Logger LOG = LoggerFactory.getLogger(DigestCache.class);
    private static final String FORMAT = "bergfried-digests-1";

    private final @Nullable Path directory;
    private final LongConsumer onMiss;

    private DigestCache(@Nullable Path directory, LongConsumer onMiss) {
        this.directory = directory;
        this.onMiss = onMiss;
    }

    /// A cache that remembers nothing.
    public static DigestCache none() {
        return new DigestCache(null, bytes -> {});
    }

    /// A cache in a directory, which is made when there is something to keep.
    public static DigestCache in(Path directory) {
        return in(directory, bytes -> {});
    }

    /// The same.
    ///
    /// @param onMiss hears how many bytes were hashed because their digest was not known.
    public static DigestCache in(Path directory, LongConsumer onMiss) {
        return new DigestCache(directory, onMiss);
    }

    /// Says that so many bytes were hashed.
    public void missed(long bytes) {
        onMiss.accept(bytes);
    }

    /// The remembered digests of a file, by name; empty if the file changed or is not known.
    public Map<String, String> load(Path file) {
        if (directory == null) {
            return Map.of();
        }
        try {
            List<String> lines = Files.readAllLines(cacheFile(directory, file), StandardCharsets.UTF_8);
            return lines.isEmpty() || !lines.getFirst().equals(identity(file)) ? Map.of() : parse(lines);
        } catch (NoSuchFileException e) {
            return Map.of();
        } catch (IOException e) {
            LOG.warn("Digests of {} cannot be read from {} and are computed again: {}", file, directory, e.toString());
            return Map.of();
        }
    }

    /// Keeps the digests of a file.
    public void store(Path file, Map<String, String> digests) {
        if (directory == null) {
            return;
        }
        var lines = new StringBuilder();
        try {
            lines.append(identity(file)).append('\n');
            new TreeMap<>(digests)
                    .forEach((name, digest) ->
                            lines.append(digest).append('\t').append(name).append('\n'));
            Files.createDirectories(directory);
            Path target = cacheFile(directory, file);
            Path unfinished = Files.createTempFile(directory, "digests", ".tmp");
            Files.writeString(unfinished, lines);
            Files.move(unfinished, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            LOG.warn("Digests of {} cannot be kept in {}; the next start computes them again", file, directory, e);
        }
    }

    private static Map<String, String> parse(List<String> lines) {
        var digests = new HashMap<String, String>();
        for (String line : lines.subList(1, lines.size())) {
            int tab = line.indexOf('\t');
            if (tab != Digests.HEX_CHARS) {
                return Map.of();
            }
            digests.put(line.substring(tab + 1), line.substring(0, tab));
        }
        return digests;
    }

    private static Path cacheFile(Path directory, Path file) throws IOException {
        String path = file.toRealPath().toString();
        return directory.resolve(Digests.sha256(path.getBytes(StandardCharsets.UTF_8)) + ".digests");
    }

    private static String identity(Path file) throws IOException {
        FileIdentity known = FileIdentity.of(file);
        return String.join(
                "\t",
                FORMAT,
                Long.toString(known.size()),
                Long.toString(known.modified()),
                known.inode(),
                file.toRealPath().toString());
    }
}
