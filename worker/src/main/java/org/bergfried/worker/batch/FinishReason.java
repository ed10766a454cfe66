package org.bergfried.worker.batch;

/// Why a sequence ended normally.
public enum FinishReason {
    /// A stop id was drawn; it is the last token.
    STOP,
    /// The limit of tokens or the end of the context was reached.
    LENGTH
}
