package org.bergfried.worker.model;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.bergfried.worker.weights.Refusals;
import org.bergfried.worker.weights.gguf.GgufFiles;
import org.bergfried.worker.weights.gguf.GgufValue;
import org.jspecify.annotations.Nullable;

/// Reads the texts of a GGUF: its vocabulary as a tokenizer.json, the chat template, and its special ids.
final class GgufTexts {
    private static final String PREFIX = "tokenizer.ggml.";
    private static final long TEMPLATE_BYTES_MAX = 4 << 20;
    private static final Map<String, String> TOKEN_VARIABLES = Map.of(
            "bos_token", "bos_token_id",
            "eos_token", "eos_token_id",
            "pad_token", "padding_token_id",
            "unk_token", "unknown_token_id");
    private static final List<String> STOP_IDS = List.of("eos_token_id", "eot_token_id", "eom_token_id");

    private final GgufFiles file;

    private GgufTexts(GgufFiles file) {
        this.file = file;
    }

    static ModelTexts read(GgufFiles file) {
        return new GgufTexts(file).read();
    }

    private ModelTexts read() {
        GgufVocabulary vocabulary = GgufVocabulary.read(file);
        if (vocabulary == null) {
            return new ModelTexts(null, template(), Map.of(), new int[0]);
        }
        var variables = new HashMap<String, String>();
        TOKEN_VARIABLES.forEach((variable, field) -> {
            int id = id(field, vocabulary.size());
            if (id >= 0) {
                variables.put(variable, vocabulary.token(id));
            }
        });
        var stopIds = new TreeSet<Integer>();
        for (String field : STOP_IDS) {
            int id = id(field, vocabulary.size());
            if (id >= 0) {
                stopIds.add(id);
            }
        }
        return new ModelTexts(
                vocabulary.tokenizerJson(),
                template(),
                variables,
                stopIds.stream().mapToInt(Integer::intValue).toArray());
    }

    private @Nullable String template() {
        if (!(file.metadata().get("tokenizer.chat_template") instanceof GgufValue.Text text)) {
            return null;
        }
        if (text.bytes().byteSize() > TEMPLATE_BYTES_MAX) {
            throw Refusals.corrupt(
                    file.path(),
                    "tokenizer.chat_template has " + text.bytes().byteSize() + " bytes; the limit is "
                            + TEMPLATE_BYTES_MAX);
        }
        return text.value();
    }

    /// A special token's id, or -1.
    private int id(String field, int size) {
        GgufValue value = file.metadata().get(PREFIX + field);
        if (value == null) {
            return -1;
        }
        if (value instanceof GgufValue.Whole(long id) && id >= 0 && id < size) {
            return (int) id;
        }
        throw Refusals.corrupt(
                file.path(),
                PREFIX + field + " = " + Refusals.shown(value.shown()) + "; the vocabulary has " + size + " tokens");
    }
}
