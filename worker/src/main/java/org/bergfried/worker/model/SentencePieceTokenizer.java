package org.bergfried.worker.model;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JsonGenerator;

/// Turns a SentencePiece BPE vocabulary into a tokenizer.json. SentencePiece keeps scores where BPE keeps merges: a
/// merge is any split of a piece into two pieces, and the piece's score is its rank.
final class SentencePieceTokenizer {
    private static final String SPACE = "\u2581";

    /// Two pieces that become one.
    private record Merge(float score, int piece, int left, int right) {}

    private SentencePieceTokenizer() {}

    static byte[] json(GgufVocabulary vocabulary) {
        var writer = new TokenizerWriter(vocabulary);
        JsonGenerator json = writer.json();
        boolean prefix = vocabulary.flag("add_space_prefix", true);
        Runnable prepend = () -> prepend(json);
        Runnable spaces = () -> writer.replace(" ", SPACE);
        if (prefix) {
            writer.sequence("normalizer", "normalizers", prepend, spaces);
        } else {
            writer.sequence("normalizer", "normalizers", spaces);
        }
        json.writeNullProperty("pre_tokenizer");
        json.writeNullProperty("post_processor");
        writer.sequence(
                "decoder",
                "decoders",
                () -> writer.replace(SPACE, " "),
                () -> writer.typeOnly("ByteFallback"),
                () -> writer.typeOnly("Fuse"),
                () -> strip(json, prefix ? 1 : 0));
        writeModel(writer, vocabulary);
        return writer.finish();
    }

    private static void prepend(JsonGenerator json) {
        json.writeStartObject();
        json.writeStringProperty("type", "Prepend");
        json.writeStringProperty("prepend", SPACE);
        json.writeEndObject();
    }

    private static void strip(JsonGenerator json, int start) {
        json.writeStartObject();
        json.writeStringProperty("type", "Strip");
        json.writeStringProperty("content", " ");
        json.writeNumberProperty("start", start);
        json.writeNumberProperty("stop", 0);
        json.writeEndObject();
    }

    private static void writeModel(TokenizerWriter writer, GgufVocabulary vocabulary) {
        JsonGenerator json = writer.json();
        json.writeObjectPropertyStart("model");
        json.writeStringProperty("type", "BPE");
        json.writeNullProperty("dropout");
        json.writeStringProperty("unk_token", unknownToken(vocabulary));
        json.writeNullProperty("continuing_subword_prefix");
        json.writeNullProperty("end_of_word_suffix");
        json.writeBooleanProperty("fuse_unk", true);
        json.writeBooleanProperty("byte_fallback", true);
        json.writeBooleanProperty("ignore_merges", false);
        writer.vocabulary(vocabulary);
        json.writeArrayPropertyStart("merges");
        for (Merge merge : merges(vocabulary)) {
            json.writeStartArray();
            json.writeString(vocabulary.token(merge.left));
            json.writeString(vocabulary.token(merge.right));
            json.writeEndArray();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static String unknownToken(GgufVocabulary vocabulary) {
        for (int id = 0; id < vocabulary.size(); id++) {
            if (vocabulary.type(id) == GgufVocabulary.UNKNOWN) {
                return vocabulary.token(id);
            }
        }
        throw vocabulary.refuse("token_type", "marks no token as unknown (2); a vocabulary of kind llama has one");
    }

    /// Best first: by score, at equal scores by the ids of piece, left and right part.
    private static List<Merge> merges(GgufVocabulary vocabulary) {
        Map<String, Integer> normal = new HashMap<>();
        for (int id = 0; id < vocabulary.size(); id++) {
            if (vocabulary.type(id) == GgufVocabulary.NORMAL) {
                normal.putIfAbsent(vocabulary.token(id), id);
            }
        }
        var merges = new ArrayList<Merge>();
        normal.forEach((text, piece) -> {
            for (int cut = text.offsetByCodePoints(0, text.isEmpty() ? 0 : 1);
                    cut < text.length();
                    cut = text.offsetByCodePoints(cut, 1)) {
                Integer left = normal.get(text.substring(0, cut));
                Integer right = normal.get(text.substring(cut));
                if (left != null && right != null) {
                    merges.add(new Merge(vocabulary.score(piece), piece, left, right));
                }
            }
        });
        merges.sort(Comparator.comparing(Merge::score, Comparator.reverseOrder())
                .thenComparingInt(Merge::piece)
                .thenComparingInt(Merge::left)
                .thenComparingInt(Merge::right));
        return merges;
    }
}
