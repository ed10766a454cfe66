package org.bergfried.worker.kernel;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// A JVM of its own for what a test cannot see, or load, in the one that it runs in.
public final class ChildJvm {
    private ChildJvm() {}

    /// Runs a main class of the class path to its end, which must be a good one.
    ///
    /// @param options of the JVM, besides a small heap and access to native code.
    /// @return the lines that it printed.
    public static List<String> lines(Class<?> main, String... options) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of(
                Path.of(Objects.requireNonNull(System.getProperty("java.home")), "bin", "java")
                        .toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED"));
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", Objects.requireNonNull(System.getProperty("java.class.path")), main.getName()));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        List<String> lines = new String(process.getInputStream().readAllBytes(), UTF_8)
                .lines()
                .toList();
        assertEquals(0, process.waitFor(), () -> main.getSimpleName() + " failed after " + lines);
        return lines;
    }
}
