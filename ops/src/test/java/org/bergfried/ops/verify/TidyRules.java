package org.bergfried.ops.verify;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreeScanner;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/// The rules of the house that the compiler and Error Prone do not know. Each takes sources and returns what is
/// wrong, as `path:line: what`.
final class TidyRules {
    static final int FILE_LINES_MAX = 400;
    static final int METHOD_LINES_MAX = 70;

    /// Kernels of the Vector API are unrolled by hand: the compiler boxes vectors that pass through further methods.
    static final int KERNEL_LINES_MAX = 140;

    static final int LINE_CHARS_MAX = 120;

    private static final Set<String> EMPTY_WORDS =
            Set.of("Manager", "Helper", "Helpers", "Util", "Utils", "Impl", "Base", "Info");

    /// Code that is banned in `src/main`, with the reason.
    private static final Map<Pattern, String> BANNED_IN_MAIN = Map.of(
            Pattern.compile(
                    "(?<!Strict)\\bMath\\s*\\.\\s*(exp|expm1|sin|cos|tan|log|log10|log1p|pow|tanh|sinh|cosh|cbrt)\\b"),
            "has no fixed bits; see the arithmetic",
            Pattern.compile("\\bSystem\\s*\\.\\s*(currentTimeMillis|nanoTime)\\b"),
            "take the clock that is passed in",
            Pattern.compile("\\b(Instant|LocalDate|LocalDateTime|ZonedDateTime|OffsetDateTime)\\s*\\.\\s*now\\b"),
            "take the clock that is passed in",
            Pattern.compile("\\bnew\\s+(java\\.util\\.)?Random\\b|\\bMath\\s*\\.\\s*random\\b|\\bThreadLocalRandom\\b"
                    + "|\\bRandomGenerator\\s*\\.\\s*(of|getDefault)\\b"),
            "take the randomness that is passed in",
            Pattern.compile("\\bSystem\\s*\\.\\s*getenv\\b"),
            "take the environment that is passed in",
            Pattern.compile("\\bcatch\\s*\\(\\s*(final\\s+)?(java\\.lang\\.)?Throwable\\b"),
            "only a Main catches all");

    private static final Pattern PRINT = Pattern.compile("\\bSystem\\s*\\.\\s*(out|err)\\b");
    private static final Pattern SLEEP = Pattern.compile("\\bThread\\s*\\.\\s*sleep\\b");
    private static final Pattern LANES =
            Pattern.compile("\\breduceLanes\\s*\\(\\s*(VectorOperators\\s*\\.\\s*)?ADD\\b");
    private static final Pattern UNFINISHED = Pattern.compile("\\b(TO" + "DO|FIX" + "ME|XX" + "X)\\b");
    private static final Pattern MACHINE_PATH =
            Pattern.compile("(?<![\\w.])/(work|root|home|Users|opt/bf)/[\\w.]|\\b[A-Z]:\\\\\\\\\\w");
    private static final Pattern REGISTRY = Pattern.compile("repo1?\\.maven\\.|registry\\.npmjs|registry-1\\.docker|"
            + "pypi\\.org|proxy\\.golang|\\bartifactory\\b|\\bnexus\\.");

    private TidyRules() {}

    /// Calls that make a result depend on the machine, the time or luck.
    static List<String> bannedCalls(SourceFile file) {
        List<String> problems = new ArrayList<>();
        boolean isEdge =
                file.fileName().endsWith("Main.java") || file.fileName().equals("SystemClock.java");
        boolean prints = isEdge || file.path().contains("/org/bergfried/ops/cli/");
        boolean floatLanes = file.code().contains("FloatVector") || file.code().contains("DoubleVector");
        List<String> lines = file.codeLines();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (file.isMain() && !isEdge) {
                for (var banned : BANNED_IN_MAIN.entrySet()) {
                    report(problems, file, i, line, banned.getKey(), banned.getValue());
                }
            }
            if (file.isMain() && !prints) {
                report(problems, file, i, line, PRINT, "only a Main and the command line print; log instead");
            }
            if (floatLanes) {
                report(problems, file, i, line, LANES, "sums floats in no fixed order; see the arithmetic");
            }
            if (!isEdge) {
                report(problems, file, i, line, SLEEP, "wait for what should happen, not for time");
            }
        }
        return problems;
    }

    /// Text that does not belong into a repository: unfinished work, paths of a machine, hosts of registries.
    static List<String> strayText(String path, String text) {
        List<String> problems = new ArrayList<>();
        List<String> lines = text.lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            for (Pattern stray : List.of(UNFINISHED, MACHINE_PATH, REGISTRY)) {
                var found = stray.matcher(lines.get(i));
                if (found.find()) {
                    problems.add(path + ":" + (i + 1) + ": " + found.group() + " does not belong here");
                }
            }
        }
        return problems;
    }

    /// Files and lines that are too long to read.
    static List<String> sizes(SourceFile file) {
        List<String> problems = new ArrayList<>();
        List<String> lines = file.lines();
        if (lines.size() > FILE_LINES_MAX) {
            problems.add(file.path() + ":1: has " + lines.size() + " lines; the limit is " + FILE_LINES_MAX);
        }
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).length() > LINE_CHARS_MAX) {
                problems.add(file.path() + ":" + (i + 1) + ": has "
                        + lines.get(i).length() + " characters; the limit is " + LINE_CHARS_MAX);
            }
        }
        return problems;
    }

    /// Methods that are too long, and classes whose names say nothing.
    static List<String> methodsAndNames(List<SourceFile> files) {
        List<String> problems = new ArrayList<>();
        var compiler = ToolProvider.getSystemJavaCompiler();
        var units = files.stream().map(TidyRules::fileObject).toList();
        var task = (JavacTask) compiler.getTask(null, null, ignored -> {}, List.of(), null, units);
        try {
            SourcePositions positions = Trees.instance(task).getSourcePositions();
            for (CompilationUnitTree unit : task.parse()) {
                new LengthAndNameScanner(unit, positions, problems).scan(unit, null);
            }
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return problems;
    }

    /// Packages without a documented, null-marked package-info.
    static List<String> packageInfos(List<SourceFile> files) {
        Map<String, List<SourceFile>> folders =
                new TreeMap<>(files.stream().collect(Collectors.groupingBy(SourceFile::folder)));
        Set<String> described = new TreeSet<>();
        List<String> problems = new ArrayList<>();
        for (SourceFile file : files) {
            if (file.fileName().equals("package-info.java")) {
                described.add(file.folder());
                if (!file.code().contains("@NullMarked") || !file.text().startsWith("///")) {
                    problems.add(file.path() + ":1: needs @NullMarked and a /// description");
                }
            }
        }
        for (String folder : folders.keySet()) {
            boolean hasInfo =
                    described.contains(folder) || described.contains(folder.replace("/src/test/", "/src/main/"));
            if (!hasInfo) {
                problems.add(folder + ":1: has no package-info.java");
            }
        }
        return problems;
    }

    private static void report(
            List<String> problems, SourceFile file, int index, String line, Pattern banned, String reason) {
        var found = banned.matcher(line);
        if (found.find()) {
            problems.add(file.path() + ":" + (index + 1) + ": " + found.group() + ": " + reason);
        }
    }

    private static JavaFileObject fileObject(SourceFile file) {
        return new SimpleJavaFileObject(URI.create("string:///" + file.path()), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return file.text();
            }
        };
    }

    /// Walks a file's classes and methods.
    private static final class LengthAndNameScanner extends TreeScanner<Void, Void> {
        private final CompilationUnitTree unit;
        private final SourcePositions positions;
        private final List<String> problems;

        LengthAndNameScanner(CompilationUnitTree unit, SourcePositions positions, List<String> problems) {
            this.unit = unit;
            this.positions = positions;
            this.problems = problems;
        }

        @Override
        public @Nullable Void visitClass(ClassTree type, @Nullable Void none) {
            for (String word : type.getSimpleName().toString().split("(?=[A-Z])", -1)) {
                if (EMPTY_WORDS.contains(word)) {
                    add(
                            line(positions.getStartPosition(unit, type)),
                            type.getSimpleName() + " says nothing with " + word);
                }
            }
            return super.visitClass(type, null);
        }

        @Override
        public @Nullable Void visitMethod(MethodTree method, @Nullable Void none) {
            long first = line(positions.getStartPosition(unit, method));
            long last = line(positions.getEndPosition(unit, method));
            int limit = unit.getSourceFile().toUri().getPath().contains("/kernel/vector/")
                    ? KERNEL_LINES_MAX
                    : METHOD_LINES_MAX;
            if (last - first + 1 > limit) {
                add(first, method.getName() + " has " + (last - first + 1) + " lines; the limit is " + limit);
            }
            return super.visitMethod(method, null);
        }

        private long line(long position) {
            return position < 0 ? 1 : unit.getLineMap().getLineNumber(position);
        }

        private void add(long line, String what) {
            String path = unit.getSourceFile().toUri().getPath().substring(1);
            problems.add(path + ":" + line + ": " + what);
        }
    }
}
