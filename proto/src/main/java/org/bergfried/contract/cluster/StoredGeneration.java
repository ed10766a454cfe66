package org.bergfried.contract.cluster;

import java.util.Optional;

/// What the store has of a generation.
///
/// @param generation the record.
/// @param attempt the highest attempt that wrote to the log; 0 when nothing was logged.
/// @param ids the log without a gap from position 0; it may end before what the client has seen.
/// @param finishReason why it ended; empty while it runs, as far as is known.
public record StoredGeneration(GenerationRecord generation, int attempt, TokenIds ids, Optional<String> finishReason) {}
