package org.bergfried.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// How processes end, seen from outside: exit codes, what they say, and that they drain.
@Timeout(60)
final class ProcessMainTest {
    @TempDir
    private Path folder = Path.of("");

    private record Ended(int exitCode, String said) {}

    @ParameterizedTest
    @CsvSource({
        "refuse, 4, MODEL_NOT_FOUND: there is no model",
        "taken, 3, the address is taken",
        "give way, 5, another one is there",
        "stumble, 1, because of a bug"
    })
    void eachFailureHasItsExitCode(String act, int exitCode, String says) throws Exception {
        Ended ended = end(start("--config", config(act)));
        assertEquals(exitCode, ended.exitCode(), ended.said());
        assertTrue(ended.said().contains(says), ended.said());
        assertTrue(ended.said().contains("closed"), ended.said());
    }

    @Test
    void argumentsAndConfigurationAreCheckedBeforeAnythingStarts() throws Exception {
        Ended missing = end(start());
        assertEquals(2, missing.exitCode());
        assertTrue(missing.said().contains("usage: SampleMain --config FILE"), missing.said());
        Ended unknown = end(start("--confg", "x"));
        assertEquals(2, unknown.exitCode());
        assertTrue(unknown.said().contains("unknown argument --confg"), unknown.said());
        Ended absent = end(start("--config", folder.resolve("absent.yaml").toString()));
        assertEquals(3, absent.exitCode());
        assertTrue(absent.said().contains("absent.yaml"), absent.said());
        assertFalse(absent.said().contains("started"), absent.said());
        assertEquals(0, end(start("--help")).exitCode());
    }

    @Test
    void sigtermDrainsForAsLongAsConfigured() throws Exception {
        Process process = start("--config", config("wait"));
        awaitStart(process.inputReader());
        process.toHandle().destroy();
        Ended ended = end(process);
        assertEquals(143, ended.exitCode());
        assertTrue(ended.said().contains("drained for 25"), ended.said());
        assertTrue(ended.said().contains("closed"), ended.said());
    }

    @Test
    void closedPipeOfTheParentDrainsForTwoSecondsOnly() throws Exception {
        Process process = start("--config", config("wait"), "--parent-pipe");
        awaitStart(process.inputReader());
        process.outputWriter().close();
        Ended ended = end(process);
        assertEquals(0, ended.exitCode());
        assertTrue(ended.said().contains("drained for 2\n"), ended.said());
    }

    private String config(String act) throws IOException {
        return Files.writeString(folder.resolve("sample.yaml"), "act: " + act + "\n")
                .toString();
    }

    private static Process start(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                SampleMain.class.getName()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private static void awaitStart(BufferedReader out) throws IOException {
        String line = out.readLine();
        while (line != null && !line.equals("started")) {
            line = out.readLine();
        }
        assertEquals("started", line);
    }

    private static Ended end(Process process) throws Exception {
        StringBuilder said = new StringBuilder();
        process.inputReader().lines().forEach(line -> said.append(line).append('\n'));
        assertTrue(process.waitFor(30, TimeUnit.SECONDS));
        return new Ended(process.exitValue(), said.toString());
    }
}
