package org.bergfried.router.failover;

import java.time.Duration;

/// The patience of a generation.
///
/// @param storeWait how long the first event is held back for the store's acknowledgement.
/// @param logTokens the token log is at most so many tokens behind.
/// @param logDelay and at most so much time.
/// @param homeWait how long a generation without a home waits for one.
/// @param attemptsMax how many attempts without a single new token are made.
/// @param doubtfulMax how many of them may end with an error that may be the request's own.
public record CourseLimits(
        Duration storeWait, int logTokens, Duration logDelay, Duration homeWait, int attemptsMax, int doubtfulMax) {
    /// The limits of the product.
    public static final CourseLimits DEFAULT =
            new CourseLimits(Duration.ofSeconds(1), 16, Duration.ofMillis(250), Duration.ofSeconds(60), 64, 3);
}
