package org.bergfried.worker.weights.gguf;

import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// The name of a part of a split GGUF: `NAME-00001-of-00003.gguf`.
///
/// @param directory where the parts are.
/// @param stem      NAME.
/// @param number    of this part, from 1.
/// @param count     how many there are.
public record GgufPartName(Path directory, String stem, int number, int count) {
    private static final Pattern FORM = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf");

    /// What a path says of itself, or null if it is no part's.
    public static @Nullable GgufPartName of(Path path) {
        Matcher name = FORM.matcher(String.valueOf(path.getFileName()));
        return name.matches()
                ? new GgufPartName(
                        path.resolveSibling(""),
                        name.group(1),
                        Integer.parseInt(name.group(2)),
                        Integer.parseInt(name.group(3)))
                : null;
    }

    /// The path of a part, from 1.
    public Path path(int part) {
        return directory.resolve(stem + ending(part, count));
    }

    List<Path> paths() {
        return IntStream.rangeClosed(1, count).mapToObj(this::path).toList();
    }

    static String ending(int number, int count) {
        return "-%05d-of-%05d.gguf".formatted(number, count);
    }
}
