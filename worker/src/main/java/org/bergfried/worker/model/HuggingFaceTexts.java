package org.bergfried.worker.model;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import org.bergfried.contract.Limits;
import org.bergfried.worker.weights.JsonTexts;
import org.bergfried.worker.weights.Refusals;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Reads the texts of a Hugging Face directory: tokenizer.json, tokenizer_config.json, chat_template.jinja,
/// generation_config.json and what config.json says about the end of an answer. Each may be missing.
final class HuggingFaceTexts {
    private static final int TEMPLATE_BYTES_MAX = 4 << 20;
    private static final List<String> TOKEN_VARIABLES = List.of("bos_token", "eos_token", "pad_token", "unk_token");

    private final Path directory;

    private HuggingFaceTexts(Path directory) {
        this.directory = directory;
    }

    static ModelTexts read(Path directory) {
        return new HuggingFaceTexts(directory).read();
    }

    private ModelTexts read() {
        Path tokenizerFile = directory.resolve("tokenizer.json");
        byte[] tokenizer = Files.exists(tokenizerFile) ? JsonTexts.readBytes(tokenizerFile, Limits.CARD_BYTES) : null;
        ObjectNode tokenizerConfig = object("tokenizer_config.json");
        Map<String, String> variables = tokenVariables(tokenizerConfig);
        var stopIds = new TreeSet<Integer>();
        addIds("config.json", stopIds);
        addIds("generation_config.json", stopIds);
        String eos = variables.get("eos_token");
        if (tokenizer != null && eos != null) {
            addAddedToken(tokenizerFile, tokenizer, eos, stopIds);
        }
        return new ModelTexts(
                tokenizer,
                template(tokenizerConfig),
                variables,
                stopIds.stream().mapToInt(Integer::intValue).toArray());
    }

    private ObjectNode object(String name) {
        Path file = directory.resolve(name);
        return Files.exists(file) ? JsonTexts.readObject(file) : JsonTexts.object();
    }

    /// A token is a string, or an object that holds it as `content`.
    private static Map<String, String> tokenVariables(ObjectNode tokenizerConfig) {
        var variables = new HashMap<String, String>();
        for (String name : TOKEN_VARIABLES) {
            JsonNode value = tokenizerConfig.path(name);
            JsonNode text = value.isObject() ? value.path("content") : value;
            if (text.isString()) {
                variables.put(name, text.stringValue());
            }
        }
        return variables;
    }

    /// A string, or a list of named templates of which the default one counts; chat_template.jinja goes first.
    private @Nullable String template(ObjectNode tokenizerConfig) {
        Path file = directory.resolve("chat_template.jinja");
        if (Files.exists(file)) {
            return new String(JsonTexts.readBytes(file, TEMPLATE_BYTES_MAX), StandardCharsets.UTF_8);
        }
        JsonNode value = tokenizerConfig.path("chat_template");
        if (value.isArray()) {
            for (JsonNode named : value) {
                if (named.path("name").asString("").equals("default")) {
                    return named.path("template").asString("");
                }
            }
        }
        return value.isString() ? value.stringValue() : null;
    }

    /// `eos_token_id`: an id or a list of ids.
    private void addIds(String name, SortedSet<Integer> ids) {
        JsonNode value = object(name).path("eos_token_id");
        if (value.isArray()) {
            value.forEach(id -> addId(name, id, ids));
        } else if (!value.isMissingNode() && !value.isNull()) {
            addId(name, value, ids);
        }
    }

    private void addId(String name, JsonNode id, SortedSet<Integer> ids) {
        if (!id.isIntegralNumber() || !id.canConvertToInt() || id.intValue() < 0 || ids.size() == Limits.STOP_IDS) {
            throw Refusals.unsupported(
                    directory.resolve(name),
                    "eos_token_id = " + Refusals.shown(id.toString()) + ": must be at most " + Limits.STOP_IDS
                            + " token ids");
        }
        ids.add(id.intValue());
    }

    /// Looks a token up in the `added_tokens` of a tokenizer.json without building the tree of its vocabulary.
    private static void addAddedToken(Path file, byte[] tokenizer, String token, SortedSet<Integer> ids) {
        try (JsonParser parser = JsonTexts.parser(tokenizer)) {
            parser.nextToken();
            while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                boolean added = parser.currentName().equals("added_tokens");
                if (parser.nextToken() == JsonToken.START_ARRAY && added) {
                    addFromArray(parser, token, ids);
                    return;
                }
                parser.skipChildren();
            }
        } catch (JacksonException e) {
            throw JsonTexts.broken(file, "is no valid JSON", e);
        }
    }

    private static void addFromArray(JsonParser parser, String token, SortedSet<Integer> ids) {
        while (parser.nextToken() == JsonToken.START_OBJECT) {
            int id = -1;
            String content = "";
            while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                String field = parser.currentName();
                JsonToken value = parser.nextToken();
                if (field.equals("id") && value == JsonToken.VALUE_NUMBER_INT) {
                    id = parser.getIntValue();
                } else if (field.equals("content") && value == JsonToken.VALUE_STRING) {
                    content = parser.getString();
                } else {
                    parser.skipChildren();
                }
            }
            if (id >= 0 && content.equals(token)) {
                ids.add(id);
            }
        }
    }
}
