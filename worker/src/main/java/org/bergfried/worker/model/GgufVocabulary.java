package org.bergfried.worker.model;

import org.bergfried.contract.ClusterException;
import org.bergfried.worker.weights.Refusals;
import org.bergfried.worker.weights.gguf.GgufFiles;
import org.bergfried.worker.weights.gguf.GgufValue;
import org.jspecify.annotations.Nullable;

/// The vocabulary of a GGUF, and the tokenizer.json that says the same: byte-level BPE (`gpt2`) or SentencePiece BPE
/// (`llama`).
final class GgufVocabulary {
    /// Most tokens; the largest known vocabularies have 262,144.
    private static final int TOKENS_MAX = 1 << 22;

    private static final String PREFIX = "tokenizer.ggml.";

    // Types of tokens as GGUF numbers them.
    static final int NORMAL = 1;
    static final int UNKNOWN = 2;
    static final int CONTROL = 3;
    static final int USER_DEFINED = 4;

    private final GgufFiles file;
    private final String[] tokens;
    private final GgufValue.@Nullable Words types;
    private final GgufValue.@Nullable Words scores;

    private GgufVocabulary(GgufFiles file, String[] tokens) {
        this.file = file;
        this.tokens = tokens;
        this.types = words("token_type");
        this.scores = words("scores");
    }

    /// The vocabulary, or null if the file has none.
    static @Nullable GgufVocabulary read(GgufFiles file) {
        GgufValue tokens = file.metadata().get(PREFIX + "tokens");
        if (tokens == null) {
            return null;
        }
        if (tokens instanceof GgufValue.Texts texts && texts.count() <= TOKENS_MAX) {
            return new GgufVocabulary(file, texts.values());
        }
        throw Refusals.corrupt(
                file.path(),
                PREFIX + "tokens is " + tokens.shown() + "; it must be at most " + TOKENS_MAX + " strings");
    }

    int size() {
        return tokens.length;
    }

    String token(int id) {
        return tokens[id];
    }

    int type(int id) {
        return types == null ? NORMAL : types.intAt(id);
    }

    /// The scores of SentencePiece's pieces.
    float score(int id) {
        if (scores == null) {
            throw refuse("scores", "is missing; a vocabulary of kind llama needs it");
        }
        return scores.floatAt(id);
    }

    /// The merges of byte-level BPE, "left right", best first.
    String[] merges() {
        if (file.metadata().get(PREFIX + "merges") instanceof GgufValue.Texts texts && texts.count() <= TOKENS_MAX) {
            return texts.values();
        }
        throw refuse("merges", "is missing or no array of strings; a vocabulary of kind gpt2 needs it");
    }

    /// A truth value with a default.
    boolean flag(String field, boolean fallback) {
        return file.metadata().get(PREFIX + field) instanceof GgufValue.Flag(boolean value) ? value : fallback;
    }

    /// A short text, or the empty string.
    String word(String field) {
        return file.metadata().get(PREFIX + field) instanceof GgufValue.Text text ? text.shown() : "";
    }

    /// The same as tokenizer.json, UTF-8.
    byte[] tokenizerJson() {
        return switch (word("model")) {
            case "gpt2" -> ByteLevelTokenizer.json(this);
            case "llama" -> SentencePieceTokenizer.json(this);
            default ->
                throw refuse("model", "= " + word("model") + " is not understood; understood are gpt2 and llama");
        };
    }

    /// A refusal that names the field.
    ClusterException refuse(String field, String why) {
        return Refusals.unsupported(file.path(), PREFIX + field + " " + Refusals.shown(why));
    }

    private GgufValue.@Nullable Words words(String field) {
        GgufValue value = file.metadata().get(PREFIX + field);
        if (value == null) {
            return null;
        }
        if (value instanceof GgufValue.Words words && words.count() == tokens.length) {
            return words;
        }
        throw Refusals.corrupt(
                file.path(), PREFIX + field + " is " + value.shown() + "; there are " + tokens.length + " tokens");
    }
}
