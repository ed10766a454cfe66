package org.bergfried.router.failover;

import org.bergfried.contract.ErrorReason;

/// What can happen to a generation, in the order in which the router notices it.
sealed interface Signal {
    /// Admission granted its turn.
    record Admitted() implements Signal {}

    /// The record is stored on a second member.
    record Stored() implements Signal {}

    /// The record could not be stored.
    record StoreFailed() implements Signal {}

    /// An attempt produced a token.
    record Token(int attempt, int position, int id) implements Signal {}

    /// An attempt says that it is complete.
    record Ended(int attempt, AnswerEnd end, int tokenCount) implements Signal {}

    /// An attempt's call ended with an error.
    record Broken(int attempt, ErrorReason reason, String message) implements Signal {}

    /// The list of workers changed.
    record HomesChanged() implements Signal {}

    /// The text of the delivered tokens reached a stop string.
    record StopFound() implements Signal {}

    /// Nobody wants the answer any more.
    record Cancelled(ErrorReason reason, String why) implements Signal {}

    /// The time of {@link GenerationCourse#wakeAtNanos(long)} has come.
    record Timer() implements Signal {}
}
