package org.bergfried.ops.cli;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.bergfried.contract.SystemClock;

/// Runs commands as the launcher does, in this JVM and without an environment.
///
/// @param home as the launcher's.
/// @param out  gets standard output.
/// @param err  gets standard error.
record CommandRun(Path home, OutputStream out, OutputStream err) {
    /// The exit code.
    int run(String... arguments) {
        var surroundings =
                new Surroundings(Map.of(), home, Path.of("java"), new SystemClock(), printer(out), printer(err));
        return BergfriedMain.commandLine(surroundings).execute(arguments);
    }

    private static PrintStream printer(OutputStream to) {
        return new PrintStream(to, true, StandardCharsets.UTF_8);
    }
}
