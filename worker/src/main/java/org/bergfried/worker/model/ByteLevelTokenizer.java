package org.bergfried.worker.model;

import java.util.List;
import tools.jackson.core.JsonGenerator;

/// Turns a byte-level BPE vocabulary into a tokenizer.json.
final class ByteLevelTokenizer {
    private ByteLevelTokenizer() {}

    static byte[] json(GgufVocabulary vocabulary) {
        String pre = vocabulary.word("pre");
        PreTokenizer splits = PreTokenizer.named(pre);
        if (splits == null) {
            throw vocabulary.refuse(
                    "pre",
                    (pre.isEmpty() ? "is missing" : "= " + pre + " is not understood") + "; understood are "
                            + String.join(", ", PreTokenizer.names()));
        }
        var writer = new TokenizerWriter(vocabulary);
        JsonGenerator json = writer.json();
        if (splits.composed()) {
            json.writeName("normalizer");
            writer.typeOnly("NFC");
        } else {
            json.writeNullProperty("normalizer");
        }
        writePreTokenizer(writer, splits);
        json.writeNullProperty("post_processor");
        json.writeName("decoder");
        writeByteLevel(json, true);
        writeModel(writer, vocabulary, splits);
        return writer.finish();
    }

    private static void writePreTokenizer(TokenizerWriter writer, PreTokenizer splits) {
        JsonGenerator json = writer.json();
        writer.sequence("pre_tokenizer", "pretokenizers", () -> {
            for (String pattern : splits.patterns()) {
                writeSplit(json, pattern);
            }
            if (splits.singleDigits()) {
                json.writeStartObject();
                json.writeStringProperty("type", "Digits");
                json.writeBooleanProperty("individual_digits", true);
                json.writeEndObject();
            }
            writeByteLevel(json, splits.patterns().isEmpty());
        });
    }

    private static void writeSplit(JsonGenerator json, String pattern) {
        json.writeStartObject();
        json.writeStringProperty("type", "Split");
        json.writeObjectPropertyStart("pattern");
        json.writeStringProperty("Regex", pattern);
        json.writeEndObject();
        json.writeStringProperty("behavior", "Isolated");
        json.writeBooleanProperty("invert", false);
        json.writeEndObject();
    }

    private static void writeByteLevel(JsonGenerator json, boolean useRegex) {
        json.writeStartObject();
        json.writeStringProperty("type", "ByteLevel");
        json.writeBooleanProperty("add_prefix_space", false);
        json.writeBooleanProperty("trim_offsets", true);
        json.writeBooleanProperty("use_regex", useRegex);
        json.writeEndObject();
    }

    private static void writeModel(TokenizerWriter writer, GgufVocabulary vocabulary, PreTokenizer splits) {
        JsonGenerator json = writer.json();
        json.writeObjectPropertyStart("model");
        json.writeStringProperty("type", "BPE");
        json.writeNullProperty("dropout");
        json.writeNullProperty("unk_token");
        json.writeNullProperty("continuing_subword_prefix");
        json.writeNullProperty("end_of_word_suffix");
        json.writeBooleanProperty("fuse_unk", false);
        json.writeBooleanProperty("byte_fallback", false);
        json.writeBooleanProperty("ignore_merges", splits.wholeWordsFirst());
        writer.vocabulary(vocabulary);
        json.writeArrayPropertyStart("merges");
        for (String merge : vocabulary.merges()) {
            List<String> parts = parts(vocabulary, merge);
            json.writeStartArray();
            json.writeString(parts.get(0));
            json.writeString(parts.get(1));
            json.writeEndArray();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    /// Byte-level text has no spaces, so the one space of a merge stands between its parts.
    private static List<String> parts(GgufVocabulary vocabulary, String merge) {
        int space = merge.indexOf(' ');
        if (space < 1 || space == merge.length() - 1) {
            throw vocabulary.refuse("merges", "holds \"" + merge + "\"; a merge is two parts with a space between");
        }
        return List.of(merge.substring(0, space), merge.substring(space + 1));
    }
}
