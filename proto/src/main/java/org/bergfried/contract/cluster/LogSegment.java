package org.bergfried.contract.cluster;

/// A part of a token log as it is stored: segment s has the positions from s * [#IDS_MAX] on. All but the last
/// are full.
///
/// @param attempt the attempt that wrote it last.
/// @param ids its ids so far.
record LogSegment(int attempt, TokenIds ids) {
    /// Ids of a full segment: rewriting 1 KiB for each piece of the log is cheap, and 4096 tokens are 16 entries.
    static final int IDS_MAX = 256;

    boolean isFull() {
        return ids.size() == IDS_MAX;
    }
}
