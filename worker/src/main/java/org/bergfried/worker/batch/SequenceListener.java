package org.bergfried.worker.batch;

import org.bergfried.contract.ClusterException;

/// Hears what becomes of a sequence, event by event, on a virtual thread of the sequence's own: it may block (a
/// client
/// that reads slowly), and nothing but its own sequence waits for it. The last event is one of `finished` and
/// `failed`. When the sequence is cancelled, `token` is interrupted, and tokens that were not taken yet are dropped.
public interface SequenceListener {
    /// A token was drawn.
    ///
    /// @param position index among the generated tokens, known ones counted.
    /// @param id       the token.
    void token(int position, int id) throws InterruptedException;

    /// The sequence came to its end.
    ///
    /// @param reason     why.
    /// @param tokenCount tokens of the answer, known ones included.
    void finished(FinishReason reason, int tokenCount) throws InterruptedException;

    /// The sequence failed or was cancelled.
    void failed(ClusterException error) throws InterruptedException;
}
