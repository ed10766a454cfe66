package org.bergfried.ops.cli;

import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.bergfried.contract.Clock;
import org.bergfried.worker.kernel.cuda.CudaSettings;
import org.jspecify.annotations.Nullable;

/// What a command may know of the machine it runs on; passed in, so that tests decide it.
///
/// @param environment the environment variables.
/// @param home        the distribution: `lib`, options files and the demo model.
/// @param java        the `java` program to start processes with.
/// @param clock       the time.
/// @param out         for results.
/// @param err         for progress and errors.
record Surroundings(
        Map<String, String> environment, Path home, Path java, Clock clock, PrintStream out, PrintStream err) {
    /// The data directory given, or `bergfried/quickstart` under `$XDG_STATE_HOME` (`~/.local/state` without it).
    Path dataDirectory(@Nullable Path given) {
        if (given != null) {
            return given.toAbsolutePath().normalize();
        }
        String state = environment.getOrDefault("XDG_STATE_HOME", "");
        Path base =
                state.isEmpty() ? Path.of(environment.getOrDefault("HOME", "."), ".local", "state") : Path.of(state);
        return base.resolve("bergfried").resolve("quickstart").toAbsolutePath();
    }

    /// The GPU that commands compute on: the first one, which may be emulated if `CUDA_EMULATOR_ALLOWED` is 1.
    CudaSettings cuda() {
        return CudaSettings.defaults().withEmulated("1".equals(environment.get("CUDA_EMULATOR_ALLOWED")));
    }

    /// The model that ships with the product.
    Path demoModel() {
        return home.resolve("demo-model");
    }

    /// The class path that the launcher wrote down when it built the distribution.
    String classPath() {
        Path file = home.resolve("classpath");
        try {
            return Files.readString(file).strip();
        } catch (java.io.IOException e) {
            throw new CommandFailure(
                    "the distribution is incomplete: " + file + " cannot be read; run ops/bergfried again", e);
        }
    }
}
