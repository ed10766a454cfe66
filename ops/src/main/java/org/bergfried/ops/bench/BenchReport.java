package org.bergfried.ops.bench;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.bergfried.contract.ByteSize;
import org.bergfried.worker.model.ModelDescription;
import org.bergfried.worker.tool.MachineLimits;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// What a benchmark found, as JSON and as a table.
///
/// @param machine     what it ran on.
/// @param limits      what that can do, measured in the same run.
/// @param model       what was opened.
/// @param modelName   the file.
/// @param engine      what was measured.
/// @param peer        what was measured in alternation.
/// @param figures     the rates.
/// @param repetitions of each figure.
/// @param complete    whether these are all figures that were wanted.
record BenchReport(
        Machine machine,
        MachineLimits limits,
        ModelDescription model,
        String modelName,
        Side engine,
        Optional<Side> peer,
        List<Bench.Figure> figures,
        int repetitions,
        boolean complete) {
    BenchReport {
        figures = List.copyOf(figures);
    }

    /// One of those that were measured.
    ///
    /// @param name          for the table.
    /// @param description   version, backend, threads.
    /// @param loadSeconds   until it could answer.
    /// @param loadedBytes   resident memory when it could.
    /// @param residentBytes after all figures; 0 before.
    record Side(String name, String description, double loadSeconds, long loadedBytes, long residentBytes) {
        /// Of one that has just been loaded.
        static Side loaded(Subject subject) {
            return new Side(subject.name(), subject.description(), subject.loadSeconds(), subject.residentBytes(), 0);
        }

        private Side after(Subject subject) {
            return new Side(name, description, loadSeconds, loadedBytes, subject.residentBytes());
        }
    }

    /// The machine and the day.
    ///
    /// @param processor its name.
    /// @param cores     that this process may use.
    /// @param jvm       its name and version.
    /// @param date      ISO day.
    record Machine(String processor, int cores, String jvm, String date) {
        /// This machine.
        static Machine here(long wallMillis) {
            return new Machine(
                    processorName(),
                    Runtime.getRuntime().availableProcessors(),
                    System.getProperty("java.vm.name") + " " + System.getProperty("java.version"),
                    Instant.ofEpochMilli(wallMillis).toString().substring(0, 10));
        }

        private static String processorName() {
            try (var lines = Files.lines(Path.of("/proc/cpuinfo"))) {
                return lines.filter(line -> line.startsWith("model name"))
                        .map(line -> line.substring(line.indexOf(':') + 1).strip())
                        .findFirst()
                        .orElse(System.getProperty("os.arch"));
            } catch (IOException notLinux) {
                return System.getProperty("os.arch");
            }
        }
    }

    /// With one figure more.
    BenchReport with(Bench.Figure figure) {
        List<Bench.Figure> more = new ArrayList<>(figures);
        more.add(figure);
        return new BenchReport(machine, limits, model, modelName, engine, peer, more, repetitions, false);
    }

    /// With all figures.
    BenchReport finished(Subject subject, Optional<Subject> rival) {
        return new BenchReport(
                machine,
                limits,
                model,
                modelName,
                engine.after(subject),
                peer.flatMap(side -> rival.map(side::after)),
                figures,
                repetitions,
                true);
    }

    String json() {
        ObjectNode root = JsonMapper.shared().createObjectNode();
        root.put("complete", complete).putPOJO("machine", machine).putPOJO("limits", limits);
        root.putObject("model")
                .put("file", modelName)
                .put("family", model.spec().family())
                .put("layers", model.spec().layers().size())
                .put("fileBytes", model.fileBytes())
                .put("activeBytes", model.activeBytes());
        root.putPOJO("engine", engine);
        peer.ifPresent(side -> root.putPOJO("peer", side));
        root.put("repetitions", repetitions);
        root.putObject("seeds").put("prompts", Bench.PROMPT_SEED).put("syntheticWeights", GgufWriter.WEIGHT_SEED);
        var rows = root.putArray("figures");
        figures.forEach(figure -> describe(figure, rows.addObject()));
        return root.toPrettyString();
    }

    private void describe(Bench.Figure figure, ObjectNode row) {
        row.put("name", figure.name()).put("unit", "tokens/s");
        row.put("median", figure.rate()).put("low", figure.low()).put("high", figure.high());
        if (figure.kind() == Bench.Kind.PREFILL) {
            row.put("firstTokenSeconds", figure.count() / figure.rate());
        }
        figure.peer().ifPresent(rate -> row.put("peerMedian", rate));
        figure.ratio().ifPresent(ratio -> row.put("ratio", ratio));
        Shares.Share share = share(figure);
        row.put("shareOfLimit", share.value()).put("limit", share.limit());
    }

    private Shares.Share share(Bench.Figure figure) {
        return new Shares(model, limits).of(figure);
    }

    List<String> table() {
        List<String> lines = new ArrayList<>();
        lines.add("machine   " + machine.processor() + ", " + machine.cores() + " cores, " + machine.jvm() + ", "
                + machine.date());
        lines.add(format(
                "limits    reading %.1f GB/s, integers %.0f and floats %.0f G multiply-adds/s (%d threads, %s)",
                limits.readRate() / 1e9,
                limits.dotRate() / 1e9,
                limits.fmaRate() / 1e9,
                limits.threads(),
                limits.how()));
        lines.add("model     " + modelName + ": " + model.spec().family() + ", "
                + model.spec().layers().size() + " layers, " + new ByteSize(model.fileBytes()) + ", "
                + new ByteSize(model.activeBytes()) + " met by a token");
        side("engine", engine, lines);
        peer.ifPresent(side -> side("peer", side, lines));
        lines.add("");
        lines.add(format(
                "%-12s %12s %19s %13s %12s %7s %s",
                "", "tokens/s", "low to high", "first token", "peer", "ratio", "of limit"));
        figures.forEach(figure -> lines.add(line(figure)));
        lines.add("");
        lines.add("Medians of " + repetitions + (peer.isPresent() ? " alternations" : " repetitions") + "; seeds "
                + Bench.PROMPT_SEED + " (prompts) and " + GgufWriter.WEIGHT_SEED + " (synthetic weights).");
        lines.add("Limits: decoding reads the weights of a step, prefill multiplies with them.");
        if (!complete) {
            lines.add("Incomplete: it was interrupted.");
        }
        return lines;
    }

    private void side(String role, Side side, List<String> lines) {
        lines.add(format("%-9s %s: %s", role, side.name(), side.description()));
        lines.add(format(
                "          loaded in %.1f s; resident %.2f of the file then%s",
                side.loadSeconds(),
                ofFile(side.loadedBytes()),
                side.residentBytes() == 0 ? "" : format(", %.2f in the end", ofFile(side.residentBytes()))));
    }

    private double ofFile(long bytes) {
        return bytes / (double) model.fileBytes();
    }

    private String line(Bench.Figure figure) {
        Shares.Share share = share(figure);
        return format(
                "%-12s %12.1f %19s %13s %12s %7s %.0f %% of %s",
                figure.name(),
                figure.rate(),
                format("%.1f to %.1f", figure.low(), figure.high()),
                figure.kind() == Bench.Kind.PREFILL ? format("%.0f ms", 1000 * figure.count() / figure.rate()) : "-",
                figure.peer().map(rate -> format("%.1f", rate)).orElse("-"),
                figure.ratio().map(ratio -> format("%.2f", ratio)).orElse("-"),
                100 * share.value(),
                share.limit());
    }

    @FormatMethod
    private static String format(@FormatString String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
