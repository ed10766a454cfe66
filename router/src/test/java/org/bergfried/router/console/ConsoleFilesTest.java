package org.bergfried.router.console;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bergfried.router.console.ConsoleFiles.ConsoleFile;
import org.junit.jupiter.api.Test;

final class ConsoleFilesTest {
    private static final Pattern IMPORT = Pattern.compile("from \"\\./([a-z]+\\.js)\"");
    private static final Pattern REFERENCE = Pattern.compile("(?:href|src)=\"([^\"#]+)\"");

    private final ConsoleFiles files = new ConsoleFiles();

    @Test
    void theEmptyPathIsThePage() {
        assertArrayEquals(file("index.html").bytes(), file("").bytes());
        assertEquals("text/html; charset=utf-8", file("").type());
    }

    @Test
    void everyFileHasItsType() {
        assertEquals("text/javascript; charset=utf-8", file("main.js").type());
        assertEquals("text/css; charset=utf-8", file("console.css").type());
        assertEquals("image/svg+xml", file("icon.svg").type());
    }

    @Test
    void servesNothingButTheListedFiles() {
        for (String path : List.of(
                "../console/main.js",
                "./main.js",
                "/main.js",
                "..",
                "..%2fmain.js",
                "main.js/",
                "ConsoleFiles.class",
                "../../../../logback.xml",
                "/etc/passwd",
                "MAIN.JS")) {
            assertTrue(files.file(path).isEmpty(), path);
        }
    }

    @Test
    void everyFileOfTheFolderIsServed() throws IOException, URISyntaxException {
        Path folder = Path.of(Objects.requireNonNull(ConsoleFiles.class.getResource("index.html"))
                        .toURI())
                .resolveSibling(".");
        try (var found = Files.list(folder)) {
            found.map(path -> path.getFileName().toString())
                    .filter(name -> !name.endsWith(".class"))
                    .forEach(this::file);
        }
    }

    @Test
    void whatThePageAndTheModulesLoadIsServed() {
        Matcher references = REFERENCE.matcher(text("index.html"));
        while (references.find()) {
            file(references.group(1));
        }
        for (String name : List.of("main.js", "overview.js", "experts.js", "plan.js", "change.js", "playground.js")) {
            Matcher imports = IMPORT.matcher(text(name));
            assertTrue(imports.find(), name);
            do {
                file(imports.group(1));
            } while (imports.find());
        }
    }

    @Test
    void dataNeverBecomesMarkup() {
        for (String name :
                List.of("main.js", "dom.js", "experts.js", "overview.js", "playground.js", "generations.js")) {
            assertFalse(
                    text(name).matches("(?s).*(innerHTML|outerHTML|insertAdjacentHTML|document\\.write|eval\\().*"),
                    name);
        }
        assertFalse(text("index.html").matches("(?s).*(<script>|<style>| style=| on[a-z]+=).*"), "inline code");
    }

    @Test
    void tagsFollowTheBytes() {
        assertEquals(
                file("main.js").tag(),
                new ConsoleFiles().file("main.js").orElseThrow().tag());
        assertFalse(file("main.js").tag().equals(file("dom.js").tag()));
        assertTrue(
                file("main.js").tag().matches("\"[0-9a-f]{32}\""),
                file("main.js").tag());
    }

    @Test
    void knowsWhatTheClientHas() {
        ConsoleFile file = file("main.js");
        assertTrue(file.isWhatTheClientHas(file.tag()));
        assertTrue(file.isWhatTheClientHas("\"other\", W/" + file.tag()));
        assertTrue(file.isWhatTheClientHas("*"));
        assertFalse(file.isWhatTheClientHas("\"other\""));
        assertFalse(file.isWhatTheClientHas(null));
    }

    @Test
    void nothingFromElsewhereIsAllowed() {
        String policy = files.headersOfAll().getOrDefault("Content-Security-Policy", "");
        assertTrue(policy.startsWith("default-src 'none';"), policy);
        assertTrue(policy.contains("frame-ancestors 'none'"), policy);
        assertFalse(policy.contains("unsafe") || policy.contains("http") || policy.contains("*"), policy);
        assertEquals("nosniff", files.headersOfAll().get("X-Content-Type-Options"));
        assertEquals("no-referrer", files.headersOfAll().get("Referrer-Policy"));
    }

    private ConsoleFile file(String path) {
        return files.file(path).orElseThrow(() -> new AssertionError("not served: " + path));
    }

    private String text(String path) {
        return new String(file(path).bytes(), StandardCharsets.UTF_8);
    }
}
