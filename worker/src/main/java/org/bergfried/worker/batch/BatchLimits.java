package org.bergfried.worker.batch;

import java.time.Duration;

/// Bounds of a batch.
///
/// @param contextPositions positions of prompt and answer together; no more than the cache has.
/// @param prefillChunk     most rows of one prompt in a step: what a decoding sequence may have to wait for.
/// @param sequencesMax     sequences that hold pages; at most the rows of a step, so that a prompt always gets a row
///                         beside the decoding ones.
/// @param queueMax         sequences that wait for their first step; more are refused with QUEUE_FULL.
/// @param outboxTokens     tokens that a client may be behind before its sequence pauses.
/// @param stalledMax       how long a client may leave its outbox full before its sequence is cancelled.
public record BatchLimits(
        int contextPositions, int prefillChunk, int sequencesMax, int queueMax, int outboxTokens, Duration stalledMax) {
    public BatchLimits {
        require(contextPositions, "contextPositions");
        require(prefillChunk, "prefillChunk");
        require(sequencesMax, "sequencesMax");
        require(queueMax, "queueMax");
        require(outboxTokens, "outboxTokens");
    }

    private static void require(int value, String name) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " = " + value + " must be at least 1");
        }
    }
}
