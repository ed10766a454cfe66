package org.bergfried.router.api;

import java.time.Duration;
import org.bergfried.contract.ByteSize;
import org.bergfried.contract.Require;

/// The bounds of answers that an operator sets.
///
/// @param bufferPerClient how much of an answer may wait for a client that reads slowly.
/// @param timeout after which a generation ends whatever its client asked for.
public record AnswerLimits(ByteSize bufferPerClient, Duration timeout) {
    /// Checks the ranges.
    public AnswerLimits {
        Require.range("bufferPerClient", bufferPerClient, new ByteSize(4096), ByteSize.ofMebibytes(256));
        Require.range("timeout", timeout, Duration.ofSeconds(1), Duration.ofHours(6));
    }

    /// 4 MiB and an hour.
    public static AnswerLimits defaults() {
        return new AnswerLimits(ByteSize.ofMebibytes(4), Duration.ofHours(1));
    }
}
