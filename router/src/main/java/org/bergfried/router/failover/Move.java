package org.bergfried.router.failover;

import org.bergfried.contract.ClusterException;
import org.bergfried.contract.cluster.TokenIds;
import org.bergfried.contract.cluster.WorkerAnnouncement;

/// What is to be done for a generation, in order.
sealed interface Move {
    /// Write the record to the store and report how that went.
    record Store() implements Move {}

    /// Start an attempt at a home.
    record Open(WorkerAnnouncement home, int attempt, TokenIds known) implements Move {}

    /// Cancel an attempt, so that its home frees what it holds.
    record Close(int attempt) implements Move {}

    /// Append to the token log.
    record Log(int attempt, int fromPosition, TokenIds ids) implements Move {}

    /// Tell the client that the answer starts.
    record Start(boolean resumable) implements Move {}

    /// Give the client's side a token.
    record Deliver(int position, int id) implements Move {}

    /// All tokens are delivered.
    record Finish(AnswerEnd end) implements Move {}

    /// The generation ends with an error.
    record Fail(ClusterException error) implements Move {}
}
