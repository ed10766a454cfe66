package org.bergfried.worker.kernel.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import jcuda.nvptxcompiler.JNvPTXCompiler;
import jcuda.nvptxcompiler.nvPTXCompileResult;
import jcuda.nvptxcompiler.nvPTXCompilerHandle;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// What is checked in as PTX belongs to its sources, and NVIDIA's assembler, which JCuda brings along, takes it for
/// every kind of device without spilling registers to memory.
final class PtxTest {
    private static final Path SOURCES = Path.of("src/main/cuda");
    private static final int REGISTERS = 65_536; // of a multiprocessor
    private static final int THREADS_MAX = 256; // of a block, in CudaBackend

    static Stream<String> modules() {
        return CudaDevice.MODULES.stream();
    }

    static Stream<Arguments> modulesAndDevices() {
        return modules().flatMap(module -> Stream.of(80, 86, 89, 90).map(device -> Arguments.of(module, device)));
    }

    @ParameterizedTest
    @MethodSource("modules")
    void ptxIsMadeFromItsSources(String module) throws IOException, NoSuchAlgorithmException {
        var digest = MessageDigest.getInstance("SHA-256");
        digest.update(Files.readAllBytes(SOURCES.resolve(module + ".cu")));
        digest.update(Files.readAllBytes(SOURCES.resolve("canon.cuh")));
        String hash = HexFormat.of().formatHex(digest.digest());
        String first = CudaDevice.source(module).lines().findFirst().orElseThrow();
        assertTrue(
                first.startsWith("// sha256:" + hash + " "),
                module + ".ptx was made from other sources; run worker/src/main/cuda/build");
    }

    /// The names of kernels in Java: whole ones, and beginnings such as "few_".
    @Test
    void javaStartsTheKernelsOfThePtxAndNoOthers() throws IOException {
        var named = new TreeSet<String>();
        try (Stream<Path> files = Files.list(Path.of("src/main/java/org/bergfried/worker/kernel/cuda"))) {
            for (Path file : files.toList()) {
                Matcher name = Pattern.compile("(?:kernel|coded|activation|pages)\\(\\s*\"(\\w+)\"")
                        .matcher(Files.readString(file));
                while (name.find()) {
                    named.add(name.group(1));
                }
            }
        }
        var kernels = new TreeSet<String>();
        modules()
                .forEach(module -> KernelSignature.parse(CudaDevice.source(module))
                        .forEach(signature -> kernels.add(signature.name())));
        assertEquals(
                List.of(),
                kernels.stream()
                        .filter(kernel -> named.stream().noneMatch(name -> isOf(kernel, name)))
                        .toList(),
                "kernels that nothing starts");
        assertEquals(
                List.of(),
                named.stream()
                        .filter(name -> kernels.stream().noneMatch(kernel -> isOf(kernel, name)))
                        .toList(),
                "names of no kernel");
    }

    private static boolean isOf(String kernel, String name) {
        return name.endsWith("_") ? kernel.startsWith(name) : kernel.equals(name);
    }

    /// A contracted multiply and add would have other bits than two instructions.
    @ParameterizedTest
    @MethodSource("modules")
    void arithmeticIsRoundedAsWritten(String module) {
        List<String> forbidden = Stream.of(
                        "mul.f32",
                        "add.f32",
                        "sub.f32",
                        "mad.f32",
                        "div.approx",
                        "div.full",
                        "sqrt.approx",
                        ".ftz",
                        "ex2.")
                .filter(CudaDevice.source(module)::contains)
                .toList();
        assertEquals(List.of(), forbidden);
    }

    @Test
    void everySourceIsAModule() throws IOException {
        try (Stream<Path> files = Files.list(SOURCES)) {
            var sources = new TreeSet<String>();
            files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".cu"))
                    .forEach(name -> sources.add(name.substring(0, name.length() - 3)));
            assertEquals(new TreeSet<>(CudaDevice.MODULES), sources);
        }
    }

    @ParameterizedTest
    @MethodSource("modulesAndDevices")
    void nvidiasAssemblerTakesItWithoutSpills(String module, int device) {
        assumeTrue(
                "amd64".equals(System.getProperty("os.arch")), "JCuda brings the assembler for Linux on x86-64 only");
        String report = assemble(CudaDevice.source(module), device);
        int kernels = KernelSignature.parse(CudaDevice.source(module)).size();
        assertEquals(kernels, count(report, "0 bytes spill stores, 0 bytes spill loads"), report);
        Matcher used = Pattern.compile("Used (\\d+) registers").matcher(report);
        while (used.find()) {
            assertTrue(Integer.parseInt(used.group(1)) * THREADS_MAX <= REGISTERS, report);
        }
    }

    private static int count(String text, String words) {
        return text.split(Pattern.quote(words), -1).length - 1;
    }

    /// The assembler's report. Fails if it refuses.
    private static String assemble(String ptx, int device) {
        byte[] text = (ptx + "\0").getBytes(StandardCharsets.US_ASCII);
        var compiler = new nvPTXCompilerHandle();
        assertEquals(0, JNvPTXCompiler.nvPTXCompilerCreate(compiler, text.length, text));
        String[] options = {"--gpu-name=sm_" + device, "--verbose"};
        int result = JNvPTXCompiler.nvPTXCompilerCompile(compiler, options.length, options);
        var length = new long[1];
        JNvPTXCompiler.nvPTXCompilerGetErrorLogSize(compiler, length);
        var errors = new byte[(int) length[0] + 1];
        JNvPTXCompiler.nvPTXCompilerGetErrorLog(compiler, errors);
        assertEquals(nvPTXCompileResult.NVPTXCOMPILE_SUCCESS, result, () -> new String(errors, StandardCharsets.UTF_8));
        JNvPTXCompiler.nvPTXCompilerGetInfoLogSize(compiler, length);
        var report = new byte[(int) length[0] + 1];
        JNvPTXCompiler.nvPTXCompilerGetInfoLog(compiler, report);
        JNvPTXCompiler.nvPTXCompilerDestroy(compiler);
        return new String(report, StandardCharsets.UTF_8);
    }
}
