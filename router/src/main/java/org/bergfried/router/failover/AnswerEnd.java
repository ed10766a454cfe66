package org.bergfried.router.failover;

/// Why the tokens of a generation ended.
public enum AnswerEnd {
    /// A stop id was produced; it is the last token.
    STOP_ID,
    /// The text reached a stop string; the router cut it there.
    STOP_STRING,
    /// The most tokens were reached.
    LENGTH
}
