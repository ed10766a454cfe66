package org.bergfried.router.api;

import java.util.Map;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.Limits;
import org.bergfried.contract.cluster.GenerationRecord;
import org.bergfried.contract.cluster.TokenIds;
import org.bergfried.router.chat.ChatModel;

/// What becomes a request record: defaults are filled in and limits of the model are checked here.
record RecordDraft(
        String tenant, ChatModel model, int[] promptIds, AnswerOptions options, boolean chat, boolean toolsEnabled) {
    GenerationRecord record(String generationId, long seed, long createdMillis) {
        int[] stopIds = options.ignoreEos() ? new int[0] : model.card().stopIds();
        var sampling = new GenerationRecord.Sampling(
                options.temperature().orElse(1),
                options.topP().orElse(1),
                options.topK().orElse(0),
                options.minP().orElse(0),
                seed);
        return new GenerationRecord(
                generationId,
                tenant,
                model.card().digest(),
                model.card().numericsId(),
                TokenIds.of(promptIds),
                sampling,
                TokenIds.of(stopIds),
                options.stop(),
                maxTokens(),
                chat,
                toolsEnabled,
                chat && model.startsInReasoning(promptIds),
                createdMillis);
    }

    /// What the caller asked for, or what the context leaves.
    private int maxTokens() {
        int contextLength = model.card().contextLength();
        int room = contextLength - promptIds.length;
        if (room < 1) {
            throw new ClusterException(
                    ErrorReason.CONTEXT_TOO_LONG,
                    "the prompt has " + promptIds.length + " tokens and leaves no room for an answer in the context of "
                            + contextLength + " of the model " + model.card().name() + "; shorten the prompt",
                    Map.of("promptTokens", Integer.toString(promptIds.length)));
        }
        int asked = options.maxTokens().orElse(room);
        return Math.min(Math.min(asked, room), Limits.ANSWER_TOKENS);
    }
}
