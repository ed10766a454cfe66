package org.bergfried.contract.cluster;

import java.util.Optional;

/// What the store has of a generation.
///
/// @param generation the record.
/// @param attempt the highest attempt that wrote to the log; 0 when nothing was logged.
/// @param ids the log without a gap from position 0; it may end before what the client has seen.
/// @param finishReason why it ended; empty while it runs, as far as is known.
public record StoredGeneration(GenerationRecord generation, int attempt, TokenIds ids, Optional<String> finishReason) {
    /// With further ids; those of an older attempt, and those after a gap, are left out.
    StoredGeneration appended(int newAttempt, int fromPosition, TokenIds more) {
        if (newAttempt < attempt || fromPosition > ids.size()) {
            return this;
        }
        int known = Math.min(more.size(), ids.size() - fromPosition);
        return new StoredGeneration(generation, newAttempt, ids.plus(more.from(known)), finishReason);
    }

    /// With its end.
    StoredGeneration finished(String reason) {
        return new StoredGeneration(generation, attempt, ids, Optional.of(reason));
    }
}
