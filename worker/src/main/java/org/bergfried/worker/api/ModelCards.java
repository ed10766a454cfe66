package org.bergfried.worker.api;

import com.google.protobuf.ByteString;
import org.bergfried.proto.engine.v1.ModelCard;
import org.bergfried.worker.model.Model;

/// Makes the card by which routers know a model.
public final class ModelCards {
    private ModelCards() {}

    /// The card of a model.
    ///
    /// @param servedName    its name for clients.
    /// @param contextLength most positions of a sequence here; the cache may hold fewer than the model could.
    public static ModelCard of(Model model, String servedName, int contextLength) {
        byte[] tokenizer = model.tokenizerJson();
        String template = model.chatTemplate();
        var card = ModelCard.newBuilder()
                .setName(servedName)
                .setDigest(model.digest())
                .setNumericsId(model.numericsId())
                .setTokenizerJson(tokenizer == null ? ByteString.EMPTY : ByteString.copyFrom(tokenizer))
                .setChatTemplate(template == null ? "" : template)
                .putAllTokenVariables(model.tokenVariables())
                .setContextLength(contextLength)
                .setVocabularySize(model.spec().vocabularySize());
        for (int id : model.stopIds()) {
            card.addStopIds(id);
        }
        return card.build();
    }
}
