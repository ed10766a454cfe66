package org.bergfried.router.console;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The console's files, read from the jar once. Only the files that are listed here exist: a path is a key and never
/// a place on a disk.
public final class ConsoleFiles {
    private static final String SCRIPT = "text/javascript; charset=utf-8";
    private static final List<String> NAMES = List.of(
            "index.html",
            "console.css",
            "icon.svg",
            "api.js",
            "change.js",
            "colours.js",
            "curve.js",
            "dom.js",
            "experts.js",
            "format.js",
            "generations.js",
            "heatmap.js",
            "main.js",
            "overview.js",
            "plan.js",
            "playground.js",
            "store.js");

    /// What every file comes with: nothing from elsewhere is loaded, nothing is sent elsewhere, nobody frames it.
    private static final Map<String, String> HEADERS = headers();

    private final Map<String, ConsoleFile> files = new TreeMap<>();

    /// A file.
    ///
    /// @param type its media type.
    /// @param tag changes with its bytes; in quotes, as ETag has it.
    /// @param bytes what it holds.
    public record ConsoleFile(String type, String tag, byte[] bytes) {
        /// Whether the header If-None-Match names this file's bytes: a list of tags, each perhaps marked as weak by a
        /// proxy that compressed the file.
        public boolean isWhatTheClientHas(@Nullable String ifNoneMatch) {
            return ifNoneMatch != null
                    && Arrays.stream(ifNoneMatch.split(",", -1))
                            .map(String::strip)
                            .map(known -> known.startsWith("W/") ? known.substring(2) : known)
                            .anyMatch(known -> known.equals("*") || known.equals(tag));
        }
    }

    /// Reads all files.
    public ConsoleFiles() {
        NAMES.forEach(name -> files.put(name, read(name)));
    }

    /// A file by its path below the console's; the empty path is the page itself.
    public Optional<ConsoleFile> file(String path) {
        return Optional.ofNullable(files.get(path.isEmpty() ? "index.html" : path));
    }

    /// The headers of each answer.
    public Map<String, String> headersOfAll() {
        return HEADERS;
    }

    private static Map<String, String> headers() {
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put(
                "Content-Security-Policy",
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
                        + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
        headers.put("X-Content-Type-Options", "nosniff");
        headers.put("Referrer-Policy", "no-referrer");
        headers.put("Cross-Origin-Opener-Policy", "same-origin");
        headers.put("Cross-Origin-Resource-Policy", "same-origin");
        headers.put("Cache-Control", "no-cache");
        return headers;
    }

    private static ConsoleFile read(String name) {
        try (var stream = ConsoleFiles.class.getResourceAsStream(name)) {
            if (stream == null) {
                throw new IllegalStateException("the console's file " + name + " is missing in the jar");
            }
            byte[] bytes = stream.readAllBytes();
            return new ConsoleFile(type(name), tag(bytes), bytes);
        } catch (IOException broken) {
            throw new UncheckedIOException("the console's file " + name + " cannot be read", broken);
        }
    }

    private static String type(String name) {
        return switch (name.substring(name.lastIndexOf('.') + 1)) {
            case "html" -> "text/html; charset=utf-8";
            case "css" -> "text/css; charset=utf-8";
            case "svg" -> "image/svg+xml";
            case "js" -> SCRIPT;
            default -> throw new IllegalStateException("the console's file " + name + " has an unknown type");
        };
    }

    private static String tag(byte[] bytes) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
            return '"' + HexFormat.of().formatHex(digest, 0, 16) + '"';
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every JVM has SHA-256", impossible);
        }
    }
}
