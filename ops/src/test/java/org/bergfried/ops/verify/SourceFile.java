package org.bergfried.ops.verify;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// A Java source file of the project.
///
/// @param path relative to the project, with slashes.
/// @param text the whole content.
/// @param code the content with comments and literals blanked out, line for line.
record SourceFile(String path, String text, String code) {
    static SourceFile of(String path, String text) {
        return new SourceFile(path, text, blankCommentsAndLiterals(text));
    }

    static SourceFile read(Path project, Path file) {
        try {
            return of(project.relativize(file).toString().replace('\\', '/'), Files.readString(file));
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    String fileName() {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    String folder() {
        return path.substring(0, path.lastIndexOf('/'));
    }

    boolean isMain() {
        return path.contains("/src/main/");
    }

    List<String> codeLines() {
        return code.lines().toList();
    }

    List<String> lines() {
        return text.lines().toList();
    }

    private static String blankCommentsAndLiterals(String text) {
        StringBuilder code = new StringBuilder(text.length());
        int at = 0;
        while (at < text.length()) {
            int end = skip(text, at);
            if (end == at) {
                code.append(text.charAt(at++));
            } else {
                for (; at < end; at++) {
                    code.append(text.charAt(at) == '\n' ? '\n' : ' ');
                }
            }
        }
        return code.toString();
    }

    /// The end of the comment or literal that starts here, or the same index.
    private static int skip(String text, int at) {
        if (text.startsWith("//", at)) {
            return endOf(text, "\n", at + 2, false);
        } else if (text.startsWith("/*", at)) {
            return endOf(text, "*/", at + 2, false);
        } else if (text.startsWith("\"\"\"", at)) {
            return endOf(text, "\"\"\"", at + 3, true);
        } else if (text.charAt(at) == '"') {
            return endOf(text, "\"", at + 1, true);
        } else if (text.charAt(at) == '\'') {
            return endOf(text, "'", at + 1, true);
        }
        return at;
    }

    private static int endOf(String text, String mark, int from, boolean escapes) {
        for (int at = from; at < text.length(); at++) {
            if (escapes && text.charAt(at) == '\\') {
                at++;
            } else if (text.startsWith(mark, at)) {
                return mark.equals("\n") ? at : at + mark.length();
            }
        }
        return text.length();
    }
}
