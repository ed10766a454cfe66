package org.bergfried.contract.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The part of one token log that its writer holds: what has not been stored, and the started segment around it.
/// Not safe for threads; the writer guards it.
final class PendingLog {
    private int start; // position of the first id held: that of a segment, once the stored part before it is known
    private TokenIds ids = TokenIds.empty();
    private int attempt;
    private boolean dirty;
    private Optional<String> finishReason = Optional.empty();

    PendingLog(int start) {
        this.start = start;
    }

    /// What a flush has to write.
    ///
    /// @param firstSegment the index of the first segment.
    /// @param segments segments in order, the last one perhaps not full.
    /// @param finishReason why the generation ended, if it has.
    record Flush(int firstSegment, List<LogSegment> segments, Optional<String> finishReason) {
        int endPosition() {
            int before = (firstSegment + Math.max(0, segments.size() - 1)) * LogSegment.IDS_MAX;
            return segments.isEmpty()
                    ? before
                    : before + segments.getLast().ids().size();
        }
    }

    /// Takes ids; those of an older attempt or after a gap are refused.
    ///
    /// @return whether they are in the log now.
    boolean append(int newAttempt, int fromPosition, TokenIds more) {
        int end = start + ids.size();
        if (newAttempt < attempt || fromPosition > end) {
            return false;
        }
        attempt = newAttempt;
        int known = end - fromPosition;
        if (known < more.size()) {
            ids = ids.plus(more.from(known));
            dirty = true;
        }
        return true;
    }

    void finish(String reason) {
        finishReason = Optional.of(reason);
        dirty = true;
    }

    /// The segment whose stored beginning must be known before a flush; empty if the log starts with its own
    /// segment.
    Optional<Integer> missingSegment() {
        return start % LogSegment.IDS_MAX == 0 ? Optional.empty() : Optional.of(start / LogSegment.IDS_MAX);
    }

    /// Takes the stored beginning of the first segment.
    ///
    /// @return false if the stored log ends before this one begins, so that nothing can be added to it.
    boolean complete(LogSegment stored) {
        int offset = start % LogSegment.IDS_MAX;
        if (stored.ids().size() < offset) {
            return false;
        }
        ids = TokenIds.of(java.util.Arrays.copyOf(stored.ids().toArray(), offset))
                .plus(ids);
        start -= offset;
        attempt = Math.max(attempt, stored.attempt());
        return true;
    }

    /// What must be written now; nothing if nothing is new.
    Optional<Flush> takeFlush() {
        if (!dirty) {
            return Optional.empty();
        }
        dirty = false;
        List<LogSegment> segments = new ArrayList<>();
        for (int from = 0; from < ids.size(); from += LogSegment.IDS_MAX) {
            int[] part =
                    java.util.Arrays.copyOfRange(ids.toArray(), from, Math.min(ids.size(), from + LogSegment.IDS_MAX));
            segments.add(new LogSegment(attempt, TokenIds.of(part)));
        }
        return Optional.of(new Flush(start / LogSegment.IDS_MAX, segments, finishReason));
    }

    /// A flush has been written: its full segments need not be held any longer.
    void written(Flush flush) {
        int keepFrom = flush.endPosition() / LogSegment.IDS_MAX * LogSegment.IDS_MAX;
        if (keepFrom > start) {
            ids = ids.from(keepFrom - start);
            start = keepFrom;
        }
    }

    /// Whether the generation has ended.
    boolean isFinished() {
        return finishReason.isPresent();
    }

    /// A flush has failed: it is tried again with the next one.
    void failed() {
        dirty = true;
    }
}
