package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.opentest4j.TestAbortedException;

/// A program that is not ours and that `ops/bergfried test` installs.
///
/// @param program its file.
record Tool(Path program) {
    /// What a run printed and how it ended.
    record Result(int exitCode, String output) {}

    /// The program named by a system property, or found on the path. Where it is missing, the test fails in CI and is
    /// skipped, loudly, elsewhere.
    static Tool find(String property, String name) {
        String named = System.getProperty(property, "");
        if (!named.isEmpty()) {
            return new Tool(Path.of(named));
        }
        for (String directory : System.getenv().getOrDefault("PATH", "").split(":", -1)) {
            Path program = Path.of(directory, name);
            if (Files.isExecutable(program)) {
                return new Tool(program);
            }
        }
        String missing = "**** SKIPPED: " + name + " is missing; `ops/bergfried test` installs it";
        if ("true".equals(System.getenv("CI"))) {
            fail(missing);
        }
        throw new TestAbortedException(missing);
    }

    Result run(Path directory, String... arguments) throws IOException, InterruptedException {
        return run(directory, Path.of("/dev/null"), arguments);
    }

    /// The same with a file as standard input.
    Result run(Path directory, Path input, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(Arrays.asList(arguments));
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectInput(input.toFile())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), output);
    }
}
