package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Holds the sources of all modules against [TidyRules], and shows of each rule that it bites.
final class TidyTest {
    private static final Path PROJECT = project();
    private static final List<SourceFile> SOURCES = javaFiles();
    private static final Pattern TEXT =
            Pattern.compile(".*(\\.(java|proto|xml|ya?ml|md|sh|js|css|html|properties|py)|/(bergfried|run))");
    private static final String MAIN = "worker/src/main/java/org/bergfried/worker/Planted.java";
    private static final String TEST = "worker/src/test/java/org/bergfried/worker/PlantedTest.java";

    @Test
    void readsTheSourcesOfAllModules() {
        for (String module : List.of("proto", "worker", "router", "ops")) {
            assertTrue(SOURCES.stream().anyMatch(file -> file.path().startsWith(module + "/src/main/")), module);
        }
    }

    @Test
    void nothingDependsOnMachineTimeOrLuck() {
        assertNone(SOURCES.stream().flatMap(file -> TidyRules.bannedCalls(file).stream()));
    }

    @Test
    void nothingIsUnfinishedOrTiedToAMachine() {
        assertNone(textFiles().flatMap(file -> TidyRules.strayText(file.path(), file.text()).stream()));
    }

    @Test
    void filesAndLinesAreShort() {
        assertNone(SOURCES.stream().flatMap(file -> TidyRules.sizes(file).stream()));
    }

    @Test
    void methodsAreShortAndNamesSaySomething() {
        assertNone(TidyRules.methodsAndNames(SOURCES).stream());
    }

    @Test
    void everyPackageSaysWhatItIs() {
        assertNone(TidyRules.packageInfos(SOURCES).stream());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "double y = Math.exp(x);",
                "double y = Math.pow(x, 2);",
                "float y = (float) Math . tanh(x);",
                "long t = System.nanoTime();",
                "long t = System.currentTimeMillis();",
                "var t = Instant.now();",
                "Thread.sleep(5);",
                "var r = new Random(7);",
                "var r = ThreadLocalRandom.current();",
                "var r = RandomGenerator.getDefault();",
                "String v = System.getenv(\"X\");",
                "System.out.println(x);",
                "System.err.println(x);",
                "try { f(); } catch (Throwable all) { }",
                "FloatVector a; float s = a.reduceLanes(VectorOperators.ADD);"
            })
    void bannedCallsAreFound(String planted) {
        List<String> problems = TidyRules.bannedCalls(SourceFile.of(MAIN, "class Planted {\n" + planted + "\n}\n"));
        assertEquals(1, problems.size(), problems.toString());
        assertTrue(problems.getFirst().startsWith(MAIN + ":2: "), problems.toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "double y = StrictMath.exp(x) + Math.sqrt(x) + Math.fma(x, y, z);",
                "// Math.exp and System.nanoTime are banned",
                "String s = \"System.out\" + '\"' + \"Thread.sleep(\\\"\";",
                "String s = \"\"\"\n  Math.exp(x) \"quoted\"\n  \"\"\";",
                "/* System.getenv */ long t = clock.nanoTime();",
                "IntVector a; int s = a.reduceLanes(VectorOperators.ADD);"
            })
    void allowedCodeCommentsAndLiteralsAreNot(String planted) {
        assertEquals(List.of(), TidyRules.bannedCalls(SourceFile.of(MAIN, "class Planted {\n" + planted + "\n}\n")));
    }

    @Test
    void mainsAndTheClockMayAndTestsMayNotSleep() {
        String all = "long t = System.nanoTime(); System.out.println(System.getenv()); Thread.sleep(1);";
        assertEquals(List.of(), TidyRules.bannedCalls(SourceFile.of("w/src/main/java/WorkerMain.java", all)));
        assertEquals(List.of(), TidyRules.bannedCalls(SourceFile.of("p/src/main/java/SystemClock.java", all)));
        String print = "System.out.println(1);";
        String cli = "ops/src/main/java/org/bergfried/ops/cli/ChatCommand.java";
        assertEquals(List.of(), TidyRules.bannedCalls(SourceFile.of(cli, print)));
        assertEquals(1, TidyRules.bannedCalls(SourceFile.of(TEST, all)).size());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "// TO@DO: later",
                "# FIX@ME",
                "String file = \"/wo@rk/shared/x\";",
                "cd /ro@ot/.m2",
                "path: /home@/me/model",
                "https://repo.ma@ven.apache.org/maven2",
                "\"resolved\": \"https://registry.np@mjs.org/x\""
            })
    void strayTextIsFound(String planted) {
        String text = "first line\n" + planted.replace("@", "");
        assertEquals(1, TidyRules.strayText("some.txt", text).size(), planted);
        assertEquals(List.of(), TidyRules.strayText("some.txt", planted));
    }

    @Test
    void longFilesAndLinesAreFound() {
        assertEquals(List.of(), TidyRules.sizes(SourceFile.of(MAIN, "x".repeat(120) + "\n".repeat(400))));
        assertEquals(1, TidyRules.sizes(SourceFile.of(MAIN, "\n".repeat(401))).size());
        assertEquals(1, TidyRules.sizes(SourceFile.of(MAIN, "x".repeat(121))).size());
    }

    @Test
    void longMethodsAndEmptyNamesAreFound() {
        String fits = "class Planted {\nvoid a() {" + "\n;".repeat(68) + "\n}\n}";
        String tooLong = "class Planted {\nvoid a() {" + "\n;".repeat(69) + "\n}\n}";
        assertEquals(List.of(), TidyRules.methodsAndNames(List.of(SourceFile.of(MAIN, fits))));
        assertEquals(
                List.of(MAIN + ":2: a has 71 lines; the limit is 70"),
                TidyRules.methodsAndNames(List.of(SourceFile.of(MAIN, tooLong))));
        String names = "class Database { record Information() {} class CacheManager {} interface UtilBox {} }";
        assertEquals(
                2,
                TidyRules.methodsAndNames(List.of(SourceFile.of(MAIN, names))).size());
    }

    @Test
    void missingAndBarePackageInfosAreFound() {
        var code = SourceFile.of("m/src/main/java/p/A.java", "class A {}");
        var test = SourceFile.of("m/src/test/java/p/ATest.java", "class ATest {}");
        var good = SourceFile.of("m/src/main/java/p/package-info.java", "/// What it is.\n@NullMarked\npackage p;");
        var bare = SourceFile.of("m/src/main/java/p/package-info.java", "package p;");
        assertEquals(List.of(), TidyRules.packageInfos(List.of(code, test, good)));
        assertEquals(1, TidyRules.packageInfos(List.of(code, test, bare)).size());
        assertEquals(2, TidyRules.packageInfos(List.of(code, test)).size());
    }

    private static void assertNone(Stream<String> problems) {
        List<String> all = problems.sorted().toList();
        assertTrue(all.isEmpty(), () -> all.size() + " problems:\n" + String.join("\n", all));
    }

    private static List<SourceFile> javaFiles() {
        return Stream.of("proto", "worker", "router", "ops")
                .flatMap(module -> walk(PROJECT.resolve(module).resolve("src")))
                .filter(file -> file.toString().endsWith(".java"))
                .map(file -> SourceFile.read(PROJECT, file))
                .toList();
    }

    /// All texts that people write; rules and their test name what they ban.
    private static Stream<SourceFile> textFiles() {
        return walk(PROJECT)
                .filter(file -> TEXT.matcher(file.toString()).matches())
                .filter(file -> !PROJECT.relativize(file).toString().matches("(.*/)?(target|node_modules|\\.git)/.*"))
                .filter(file -> !file.getFileName().toString().matches("Tidy(Rules|Test)\\.java"))
                .map(file -> SourceFile.read(PROJECT, file));
    }

    private static Stream<Path> walk(Path folder) {
        if (!Files.isDirectory(folder)) {
            return Stream.of();
        }
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile).toList().stream();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    /// The folder with all modules, from the one in which the build runs this test.
    private static Path project() {
        Path folder = Path.of("").toAbsolutePath();
        return Files.isDirectory(folder.resolve("proto")) ? folder : folder.resolveSibling("");
    }
}
