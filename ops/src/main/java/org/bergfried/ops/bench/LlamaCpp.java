package org.bergfried.ops.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The peer: a prebuilt llama.cpp in a process of its own, driven line by line.
final class LlamaCpp implements Subject {
    private static final JsonMapper JSON = JsonMapper.shared();

    private final Process process;
    private final Writer wishes;
    private final BufferedReader answers;
    private final int threads;
    private final String build;
    private final double loadSeconds;
    private long residentBytes;

    /// Loads the model.
    ///
    /// @param script    what drives it.
    /// @param modules   the folder with `node_modules`.
    /// @param positions most of a sequence.
    /// @param streams   most at a time.
    /// @throws ClusterException if it cannot be started or cannot load the model; its messages went to standard
    ///     error.
    LlamaCpp(Path script, Path modules, Path model, int threads, int positions, int streams) {
        this.threads = threads;
        var builder = new ProcessBuilder(
                "node",
                script.toString(),
                model.toString(),
                Integer.toString(threads),
                Integer.toString(positions),
                Integer.toString(streams));
        builder.environment().put("BENCH_MODULES", modules.toString());
        builder.redirectError(ProcessBuilder.Redirect.INHERIT);
        try {
            process = builder.start();
        } catch (IOException missing) {
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST, "node cannot be started (install Node.js 20): " + missing, missing);
        }
        wishes = process.outputWriter(StandardCharsets.UTF_8);
        answers = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        JsonNode loaded = answer();
        loadSeconds = loaded.path("loaded").asDouble();
        build = loaded.path("build").asString("unknown");
    }

    @Override
    public String name() {
        return "llama.cpp";
    }

    @Override
    public String description() {
        return "llama.cpp " + build + "; " + threads + " threads";
    }

    @Override
    public double loadSeconds() {
        return loadSeconds;
    }

    @Override
    public long residentBytes() {
        return residentBytes;
    }

    @Override
    public double prefillRate(int tokens) {
        return tokens
                / ask(JSON.createObjectNode().put("firstToken", tokens).toString())
                        .path("seconds")
                        .asDouble();
    }

    @Override
    public double decodeRate(int streams, int tokens) {
        return ask(JSON.createObjectNode()
                        .put("decode", streams)
                        .put("tokens", tokens)
                        .toString())
                .path("rate")
                .asDouble();
    }

    @Override
    public void endProcesses() {
        process.destroy();
    }

    @Override
    public void close() {
        process.destroy();
    }

    private JsonNode ask(String wish) {
        try {
            wishes.write(wish);
            wishes.write('\n');
            wishes.flush();
        } catch (IOException ended) {
            throw gone();
        }
        return answer();
    }

    private JsonNode answer() {
        try {
            String line = answers.readLine();
            if (line == null) {
                throw gone();
            }
            JsonNode answer = JSON.readTree(line);
            if (answer.has("error")) {
                throw new ClusterException(
                        ErrorReason.INTERNAL,
                        "llama.cpp: " + answer.path("error").asString());
            }
            residentBytes = answer.path("residentBytes").asLong(residentBytes);
            return answer;
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    private static ClusterException gone() {
        return new ClusterException(
                ErrorReason.INTERNAL, "llama.cpp has ended; what it said stands above, on standard error");
    }
}
