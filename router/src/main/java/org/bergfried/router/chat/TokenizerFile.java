package org.bergfried.router.chat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.jspecify.annotations.Nullable;

/// A tokenizer.json that has been read and checked: its vocabulary, its added tokens, and the forms of it that the
/// native
/// library is given.
final class TokenizerFile {
    private static final int IDS_MAX = 1 << 24;

    private final Map<String, @Nullable Object> root;
    private final Map<String, @Nullable Object> model;
    private final Map<String, Integer> vocabulary = new LinkedHashMap<>();
    private final List<AddedToken> addedTokens = new ArrayList<>();

    /// @throws ClusterException MODEL_UNSUPPORTED if it is not a tokenizer.json of a byte-level or byte-fallback BPE
    TokenizerFile(byte[] json) {
        root = object(JsonTree.read(json, "tokenizer.json", ErrorReason.MODEL_UNSUPPORTED), "tokenizer.json");
        model = object(root.get("model"), "'model' of tokenizer.json");
        if (!"BPE".equals(model.get("type"))) {
            throw unsupported("model type '" + model.get("type") + "' is not supported; BPE is");
        }
        object(model.get("vocab"), "'model.vocab' of tokenizer.json")
                .forEach((token, id) -> vocabulary.put(token, id(id, token)));
        if (root.get("added_tokens") instanceof List<?> list) {
            list.forEach(entry -> addedTokens.add(addedToken(object(entry, "an added token of tokenizer.json"))));
        }
    }

    private static Map<String, @Nullable Object> object(@Nullable Object tree, String what) {
        return JsonTree.object(tree, what, ErrorReason.MODEL_UNSUPPORTED);
    }

    private static ClusterException unsupported(String message) {
        return new ClusterException(ErrorReason.MODEL_UNSUPPORTED, "tokenizer.json: " + message);
    }

    private static int id(@Nullable Object id, String token) {
        if (id instanceof Integer number && number >= 0 && number < IDS_MAX) {
            return number;
        }
        throw unsupported("the id " + id + " of the token '" + token + "' is not between 0 and " + IDS_MAX);
    }

    private static AddedToken addedToken(Map<String, @Nullable Object> entry) {
        if (!(entry.get("content") instanceof String content) || content.isEmpty()) {
            throw unsupported("an added token has no content");
        }
        return new AddedToken(
                id(entry.get("id"), content),
                content,
                Boolean.TRUE.equals(entry.get("special")),
                Boolean.TRUE.equals(entry.get("lstrip")),
                Boolean.TRUE.equals(entry.get("rstrip")),
                Boolean.TRUE.equals(entry.get("single_word")));
    }

    /// Tokens of the model by their text in the file's own coding.
    Map<String, Integer> vocabulary() {
        return vocabulary;
    }

    List<AddedToken> addedTokens() {
        return addedTokens;
    }

    /// Whether tokens are written in the byte-level alphabet; otherwise `▁` is a space and `<0xNN>` a byte.
    boolean isByteLevel() {
        return mentions(root.get("pre_tokenizer"), "ByteLevel") || mentions(root.get("decoder"), "ByteLevel");
    }

    /// Whether only the first part of a text gets a space in front, so that later parts need a form of their own.
    boolean prependsToFirstOnly() {
        return mentions(root.get("pre_tokenizer"), "first");
    }

    /// Whether a text begins with a space that is not part of it, as SentencePiece writes it.
    boolean addsLeadingSpace() {
        return mentions(root.get("decoder"), "Strip") || mentions(root.get("decoder"), "Metaspace");
    }

    private static boolean mentions(@Nullable Object tree, String word) {
        return switch (tree) {
            case Map<?, ?> map -> map.values().stream().anyMatch(value -> mentions(value, word));
            case List<?> list -> list.stream().anyMatch(value -> mentions(value, word));
            case null -> false;
            default -> tree.equals(word);
        };
    }

    /// The file for text of which nothing may become a special token: without added tokens (but for runs of blanks,
    /// which
    /// stand for nothing else), truncation and padding.
    ///
    /// @param later for parts of a text after the first
    byte[] plainForm(boolean later) {
        Map<String, @Nullable Object> plain = new LinkedHashMap<>(root);
        plain.put("truncation", null);
        plain.put("padding", null);
        List<Object> kept = new ArrayList<>();
        if (root.get("added_tokens") instanceof List<?> list) {
            for (int i = 0; i < list.size(); i++) {
                Object entry = list.get(i);
                if (entry != null && addedTokens.get(i).isBlank()) {
                    kept.add(entry);
                }
            }
        }
        plain.put("added_tokens", kept);
        if (Boolean.TRUE.equals(model.get("ignore_merges"))) {
            plain.put("model", modelWithoutAddedTokens());
        }
        if (later) {
            plain.put("pre_tokenizer", withoutPrefix(root.get("pre_tokenizer")));
        }
        return JsonTree.write(plain);
    }

    /// A model that looks up whole words would find an added token by its text.
    private Map<String, @Nullable Object> modelWithoutAddedTokens() {
        Map<String, Integer> words = new LinkedHashMap<>(vocabulary);
        for (AddedToken token : addedTokens) {
            if (!token.isBlank() && !token.content().equals(model.get("unk_token"))) {
                words.remove(token.content());
            }
        }
        Map<String, @Nullable Object> changed = new LinkedHashMap<>(model);
        changed.put("vocab", words);
        return changed;
    }

    private static @Nullable Object withoutPrefix(@Nullable Object tree) {
        return switch (tree) {
            case Map<?, ?> map -> {
                Map<String, @Nullable Object> changed = new LinkedHashMap<>();
                map.forEach((key, value) -> changed.put(
                        String.valueOf(key), "prepend_scheme".equals(key) ? "never" : withoutPrefix(value)));
                yield changed;
            }
            case List<?> list -> {
                List<@Nullable Object> changed = new ArrayList<>();
                list.forEach(value -> changed.add(withoutPrefix(value)));
                yield changed;
            }
            case null -> null;
            default -> tree;
        };
    }
}
