package org.bergfried.worker.batch;

import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.sample.Sampling;
import org.jspecify.annotations.Nullable;

/// A sequence to be continued. Arrays are not copied and must not change.
///
/// @param id            names it in messages.
/// @param promptIds     the prompt, at least one id.
/// @param knownIds      tokens that earlier attempts drew, from position 0 on: computed again, not drawn.
/// @param sampling      how tokens are drawn.
/// @param stopIds       ids that end it.
/// @param tokensMax     most tokens of the answer, known ones included, at least 1; the context may end it before.
/// @param deadlineNanos when it fails with DEADLINE, on the batch's clock; `Long.MAX_VALUE` for never.
/// @param chunkRows     most rows of its prompt in a step; 0 for the batch's setting.
/// @param logits        sees the logits of its prompt, or null.
public record SequenceRequest(
        String id,
        int[] promptIds,
        int[] knownIds,
        Sampling sampling,
        int[] stopIds,
        int tokensMax,
        long deadlineNanos,
        int chunkRows,
        @Nullable LogitsSink logits) {
    public SequenceRequest {
        require(promptIds.length > 0, "prompt_ids is empty; a prompt has at least one id");
        require(tokensMax >= 1, "max_tokens = " + Integer.toUnsignedLong(tokensMax) + " must be from 1 to 2147483647");
        require(
                knownIds.length <= tokensMax,
                "known_ids has " + knownIds.length + " ids; max_tokens = " + tokensMax + " allows no more than that");
        require(chunkRows >= 0, "chunkRows = " + chunkRows + " must be 0 or more");
    }

    /// A sequence without known ids, deadline and other special wishes.
    public static SequenceRequest of(String id, int[] promptIds, Sampling sampling, int[] stopIds, int tokensMax) {
        return new SequenceRequest(id, promptIds, new int[0], sampling, stopIds, tokensMax, Long.MAX_VALUE, 0, null);
    }

    private static void require(boolean holds, String message) {
        if (!holds) {
            throw new ClusterException(ErrorReason.INVALID_REQUEST, message);
        }
    }
}
