package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// `bergfried device list` and `check` without a driver, and with the emulated one in its moods.
final class DeviceToolTest {
    private static final String ABSENT = "libcuda-that-is-not-there.so";

    /// What a command said.
    private record Answer(int exit, String out, String err) {
        boolean says(String words) {
            return err.contains(words) || out.contains(words);
        }
    }

    private static Answer run(Map<String, String> environment, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(RunningCluster.launcher().toString(), "device"));
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command);
        builder.environment().putAll(environment);
        Process process = builder.start();
        var err = new StringBuilder();
        Thread reader = Thread.ofVirtual().start(() -> err.append(text(process.getErrorStream())));
        String out = text(process.getInputStream());
        int exit = process.waitFor();
        reader.join();
        return new Answer(exit, out, err.toString());
    }

    private static String text(java.io.InputStream stream) {
        try {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static String emulator() {
        String library = System.getProperty("bergfried.cudaEmulator", "");
        assumeTrue(!library.isEmpty(), "no CUDA emulator: set bergfried.cudaEmulator, as ops/bergfried test does");
        return Path.of(library).toAbsolutePath().toString();
    }

    @Test
    void listsTheBackendsOfAMachineWithoutADriver() throws Exception {
        Answer answer = run(Map.of(), "list", "--library", ABSENT);
        assertEquals(0, answer.exit(), answer.err());
        assertTrue(answer.out().contains("scalar   yes"), answer.out());
        assertTrue(answer.out().contains("cuda     no    no CUDA driver: " + ABSENT + " was not found"), answer.out());
    }

    @Test
    void checkEndsWithAnErrorWithoutADriver() throws Exception {
        Answer answer = run(Map.of(), "check", "--library", ABSENT);
        assertEquals(1, answer.exit());
        assertTrue(answer.err().contains("install NVIDIA's driver"), answer.err());
    }

    @Test
    void listsAnEmulatedDeviceAsOneThatMustBeAllowed() throws Exception {
        String library = emulator();
        JsonNode refused = JsonMapper.shared()
                .readTree(run(Map.of(), "list", "--json", "--library", library).out());
        JsonNode device = refused.path("devices").path(0);
        assertTrue(device.path("emulated").asBoolean(), refused::toString);
        assertFalse(device.path("usable").asBoolean(), refused::toString);
        assertEquals(8.0, device.path("compute_capability").asDouble());
        JsonNode allowed = JsonMapper.shared()
                .readTree(run(Map.of(), "list", "--json", "--allow-emulated", "--library", library)
                        .out());
        assertTrue(allowed.path("devices").path(0).path("usable").asBoolean(), allowed::toString);
    }

    @Test
    void checkFindsEveryKernelRightOnTheEmulator() throws Exception {
        Answer answer =
                run(Map.of(), "check", "--allow-emulated", "--library", emulator(), "--seeds", "1", "--megabytes", "4");
        assertEquals(0, answer.exit(), answer.err());
        assertTrue(answer.says("Every operation of cuda gives the bits of the scalar backend."), answer.out());
        assertTrue(answer.out().matches("(?s).*copying rows \\(read and write\\) +\\d+\\.\\d GB/s.*"), answer.out());
        assertTrue(answer.out().matches("(?s).*products of one row with Q8_0 +\\d+\\.\\d GB/s.*"), answer.out());
    }

    @Test
    void saysWhyADeviceCannotBeUsed() throws Exception {
        String library = emulator();
        Map<Map<String, String>, String> refusals = Map.of(
                Map.of("CUDA_EMULATOR_DEVICES", "0"), "finds no device",
                Map.of("CUDA_EMULATOR_DRIVER", "10020"), "made for CUDA 10.2, the kernels need 11.0",
                Map.of("CUDA_EMULATOR_PTX", "65"), "too old for the PTX of the kernels",
                Map.of("CUDA_EMULATOR_SM", "75"), "need compute capability 8.0",
                Map.of("CUDA_EMULATOR_MEMORY", "270000000"), "more bytes of device memory are needed");
        for (Map.Entry<Map<String, String>, String> refusal : refusals.entrySet()) {
            Answer answer = run(refusal.getKey(), "check", "--allow-emulated", "--library", library);
            assertEquals(1, answer.exit(), refusal::toString);
            assertTrue(answer.err().contains(refusal.getValue()), answer.err());
        }
        Answer answer = run(Map.of(), "check", "--library", library);
        assertEquals(1, answer.exit());
        assertTrue(answer.err().contains("emulated, which is slow and for tests only"), answer.err());
    }
}
