package org.bergfried.worker.model;

import java.io.ByteArrayOutputStream;
import java.util.HashSet;
import org.bergfried.worker.weights.JsonTexts;
import tools.jackson.core.JsonGenerator;

/// Writes what the tokenizer.json of every kind of vocabulary has in common.
final class TokenizerWriter {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final JsonGenerator json = JsonTexts.generator(bytes);

    /// Begins the file: header and added tokens (control and user-defined ones, found before anything else).
    TokenizerWriter(GgufVocabulary vocabulary) {
        json.writeStartObject();
        json.writeStringProperty("version", "1.0");
        json.writeNullProperty("truncation");
        json.writeNullProperty("padding");
        json.writeArrayPropertyStart("added_tokens");
        for (int id = 0; id < vocabulary.size(); id++) {
            int type = vocabulary.type(id);
            if (type == GgufVocabulary.CONTROL || type == GgufVocabulary.USER_DEFINED) {
                writeAddedToken(id, vocabulary.token(id), type == GgufVocabulary.CONTROL);
            }
        }
        json.writeEndArray();
    }

    private void writeAddedToken(int id, String content, boolean special) {
        json.writeStartObject();
        json.writeNumberProperty("id", id);
        json.writeStringProperty("content", content);
        json.writeBooleanProperty("single_word", false);
        json.writeBooleanProperty("lstrip", false);
        json.writeBooleanProperty("rstrip", false);
        json.writeBooleanProperty("normalized", false);
        json.writeBooleanProperty("special", special);
        json.writeEndObject();
    }

    /// For what differs between kinds.
    JsonGenerator json() {
        return json;
    }

    /// A `Sequence` of steps in a field; each step writes its object.
    void sequence(String field, String steps, Runnable... writeSteps) {
        json.writeObjectPropertyStart(field);
        json.writeStringProperty("type", "Sequence");
        json.writeArrayPropertyStart(steps);
        for (Runnable step : writeSteps) {
            step.run();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    /// An object that has a type only.
    void typeOnly(String type) {
        json.writeStartObject();
        json.writeStringProperty("type", type);
        json.writeEndObject();
    }

    /// Replaces a text by another.
    void replace(String text, String content) {
        json.writeStartObject();
        json.writeStringProperty("type", "Replace");
        json.writeObjectPropertyStart("pattern");
        json.writeStringProperty("String", text);
        json.writeEndObject();
        json.writeStringProperty("content", content);
        json.writeEndObject();
    }

    /// The vocabulary of a BPE model. A text that two ids share belongs to the first.
    void vocabulary(GgufVocabulary vocabulary) {
        var seen = new HashSet<String>();
        json.writeObjectPropertyStart("vocab");
        for (int id = 0; id < vocabulary.size(); id++) {
            if (seen.add(vocabulary.token(id))) {
                json.writeNumberProperty(vocabulary.token(id), id);
            }
        }
        json.writeEndObject();
    }

    /// Ends the file.
    byte[] finish() {
        json.writeEndObject();
        json.close();
        return bytes.toByteArray();
    }
}
