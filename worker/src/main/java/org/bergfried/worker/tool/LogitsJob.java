package org.bergfried.worker.tool;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Set;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.Limits;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A job of `model logits`.
///
/// @param model   directory with safetensors, or a .gguf file.
/// @param tokens  ids to compute the logits of, at least one.
/// @param out     gets float32 `[tokens, vocabulary]`, little-endian; null for nothing.
/// @param greedy  ids to continue with, exactly so many: no id ends them.
/// @param backend a backend's name or `auto`.
/// @param workers expert hosts behind loopback channels; 0 computes the experts in place.
/// @param chunk   rows of the prompt in a step; 0 for the engine's own.
/// @param batch   sequences in all: `batch - 1` others run beside it.
public record LogitsJob(
        String model, int[] tokens, @Nullable Path out, int greedy, String backend, int workers, int chunk, int batch) {
    private static final Set<String> FIELDS =
            Set.of("model", "tokens", "out", "greedy", "backend", "workers", "chunk", "batch");
    private static final int WORKERS_MAX = 64;
    private static final int CHUNK_MAX = 8192;
    private static final int BATCH_MAX = 256;

    public LogitsJob {
        require(!model.isEmpty(), "model is missing; give the path of a model");
        require(tokens.length > 0, "tokens is empty; give at least one id");
        range("greedy", greedy, 0, Limits.ANSWER_TOKENS);
        range("workers", workers, 0, WORKERS_MAX);
        range("chunk", chunk, 0, CHUNK_MAX);
        range("batch", batch, 1, BATCH_MAX);
    }

    /// Reads a line of JSON.
    ///
    /// @throws ClusterException INVALID_REQUEST that names the field.
    public static LogitsJob parse(String line) {
        JsonNode node;
        try {
            node = JsonMapper.shared().readTree(line);
        } catch (JacksonException malformed) {
            throw invalid("the job is no JSON: " + malformed.getOriginalMessage());
        }
        require(node.isObject(), "the job is no JSON object");
        for (String field : node.propertyNames()) {
            require(
                    FIELDS.contains(field),
                    "field " + field + " is unknown; a job has "
                            + FIELDS.stream().sorted().toList());
        }
        JsonNode out = node.path("out");
        return new LogitsJob(
                node.path("model").asString(""),
                ids(node.path("tokens")),
                out.isString() ? path(out.asString()) : null,
                number(node, "greedy", 0),
                node.path("backend").asString("auto"),
                number(node, "workers", 0),
                number(node, "chunk", 0),
                number(node, "batch", 1));
    }

    /// The model's path.
    public Path modelPath() {
        return path(model);
    }

    private static int[] ids(JsonNode node) {
        require(node.isArray(), "tokens must be a list of ids");
        int[] ids = new int[node.size()];
        for (int i = 0; i < ids.length; i++) {
            JsonNode id = node.get(i);
            require(id.isInt() && id.intValue() >= 0, "tokens[" + i + "] = " + id + " must be an id from 0 on");
            ids[i] = id.intValue();
        }
        return ids;
    }

    private static int number(JsonNode node, String field, int absent) {
        JsonNode value = node.path(field);
        if (value.isMissingNode() || value.isNull()) {
            return absent;
        }
        require(value.isInt(), field + " = " + value + " must be a whole number");
        return value.intValue();
    }

    private static Path path(String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException wrong) {
            throw invalid("\"" + text + "\" is no path: " + wrong.getReason());
        }
    }

    private static void range(String field, int value, int min, int max) {
        require(value >= min && value <= max, field + " = " + value + " must be from " + min + " to " + max);
    }

    private static void require(boolean holds, String message) {
        if (!holds) {
            throw invalid(message);
        }
    }

    private static ClusterException invalid(String message) {
        return new ClusterException(ErrorReason.INVALID_REQUEST, message);
    }
}
