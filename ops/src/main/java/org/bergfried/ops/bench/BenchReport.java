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
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// What a benchmark found, as JSON and as a table.
///
/// @param machine      what it ran on.
/// @param model        what was opened.
/// @param modelName    the file.
/// @param engine       backend and threads.
/// @param peer         version and threads of the peer.
/// @param readRate     bytes per second that the compute threads read memory with, measured in the same run.
/// @param load         of the engine.
/// @param peerLoad     of the peer.
/// @param figures      the rates.
/// @param repetitions  of each figure.
record BenchReport(
        Machine machine,
        ModelDescription model,
        String modelName,
        String engine,
        Optional<String> peer,
        double readRate,
        Load load,
        Optional<Load> peerLoad,
        List<Bench.Figure> figures,
        int repetitions) {
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

    /// How a model was loaded.
    ///
    /// @param seconds       until it could answer.
    /// @param residentBytes of the process after all figures.
    record Load(double seconds, long residentBytes) {}

    /// The share of the read bandwidth that decoding one stream uses: every weight that a token meets is read once.
    Optional<Double> readShare(Bench.Figure figure) {
        return figure.name().equals("decode 1")
                ? Optional.of(figure.rate() * model.activeBytes() / readRate)
                : Optional.empty();
    }

    String json() {
        ObjectNode root = JsonMapper.shared().createObjectNode();
        root.putPOJO("machine", machine);
        root.putObject("model")
                .put("file", modelName)
                .put("family", model.spec().family())
                .put("layers", model.spec().layers().size())
                .put("fileBytes", model.fileBytes())
                .put("activeBytes", model.activeBytes());
        root.put("engine", engine);
        peer.ifPresent(name -> root.put("peer", name));
        root.put("readBytesPerSecond", readRate).put("repetitions", repetitions);
        root.putPOJO("load", load);
        peerLoad.ifPresent(other -> root.putPOJO("peerLoad", other));
        var rows = root.putArray("figures");
        for (Bench.Figure figure : figures) {
            ObjectNode row = rows.addObject().put("name", figure.name()).put("unit", "tokens/s");
            row.put("median", figure.rate()).put("low", figure.low()).put("high", figure.high());
            figure.peer().ifPresent(rate -> row.put("peerMedian", rate));
            figure.ratio().ifPresent(ratio -> row.put("ratio", ratio));
            readShare(figure).ifPresent(share -> row.put("shareOfReadBandwidth", share));
        }
        return root.toPrettyString();
    }

    List<String> table() {
        List<String> lines = new ArrayList<>();
        lines.add("machine   " + machine.processor() + ", " + machine.cores() + " cores, " + machine.jvm() + ", "
                + machine.date());
        lines.add("model     " + modelName + ": " + model.spec().family() + ", "
                + model.spec().layers().size() + " layers, " + new ByteSize(model.fileBytes()) + ", "
                + new ByteSize(model.activeBytes()) + " met by a token");
        lines.add("engine    " + engine);
        peer.ifPresent(name -> lines.add("peer      " + name));
        lines.add(format("reading   %.1f GB/s", readRate / 1e9));
        lines.add(load("load      ", load)
                + peerLoad.map(other -> load("; peer ", other)).orElse(""));
        lines.add("");
        lines.add(format("%-12s %14s %19s %14s %8s %10s", "", "tokens/s", "low to high", "peer", "ratio", "of limit"));
        for (Bench.Figure figure : figures) {
            lines.add(format(
                    "%-12s %14.1f %19s %14s %8s %10s",
                    figure.name(),
                    figure.rate(),
                    format("%.1f to %.1f", figure.low(), figure.high()),
                    figure.peer().map(rate -> format("%.1f", rate)).orElse("-"),
                    figure.ratio().map(ratio -> format("%.2f", ratio)).orElse("-"),
                    readShare(figure)
                            .map(share -> format("%.0f %%", 100 * share))
                            .orElse("-")));
        }
        lines.add("");
        lines.add("Medians of " + repetitions + (peer.isPresent() ? " alternations" : " repetitions")
                + "; the limit of one stream is the memory's read bandwidth.");
        return lines;
    }

    private String load(String before, Load of) {
        return before
                + format(
                        "%.1f s, %.2f of the file resident",
                        of.seconds(), of.residentBytes() / (double) model.fileBytes());
    }

    @FormatMethod
    private static String format(@FormatString String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
