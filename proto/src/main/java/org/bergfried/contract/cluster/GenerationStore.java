package org.bergfried.contract.cluster;

import java.util.Optional;
import java.util.concurrent.CompletionStage;

/// What is needed to go on with a generation after its router or its home died. Records expire 120 s after the
/// end of a generation and some hours after its start ({@link org.bergfried.contract.Limits}).
public interface GenerationStore {
    /// Stores a record. Completes when a second member has it (or when this one is alone), exceptionally with a
    /// {@link org.bergfried.contract.ClusterException} when it could not be stored; it never blocks the caller.
    CompletionStage<Void> put(GenerationRecord generation);

    /// Appends generated ids to the token log, in the background and without an acknowledgement. The log may lag
    /// or be cut: missing tokens are recomputed. Ids from positions that the log has already are the same by
    /// construction; an attempt lower than the highest seen is ignored.
    ///
    /// @param fromPosition position of the first id, counted from 0 over all attempts.
    void append(String generationId, int attempt, int fromPosition, TokenIds ids);

    /// Says that the generation has ended, in the background, after what was appended before.
    ///
    /// @param reason the finish reason as the client saw it, such as "stop" or "length".
    void finish(String generationId, String reason);

    /// Reads a generation; asks other members, so it is called on a virtual thread.
    ///
    /// @throws org.bergfried.contract.ClusterException if no answer comes for seconds.
    Optional<StoredGeneration> read(String generationId);
}
