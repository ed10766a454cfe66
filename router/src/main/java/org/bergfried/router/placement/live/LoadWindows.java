package org.bergfried.router.placement.live;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;

/// The load of one model's experts over the last ten minutes. Trunks count rows since their start; the differences
/// between what they say are summed over all trunks, and a sum is kept for each second of the last minute and for
/// each ten seconds before. Times are nanoseconds and passed in.
public final class LoadWindows {
    /// The longest window.
    public static final int SECONDS_MAX = 600;

    private static final long SECOND = 1_000_000_000L;
    private static final long FINE_NANOS = 61 * SECOND;
    private static final long COARSE_NANOS = 10 * SECOND;
    private static final long KEPT_NANOS = (SECONDS_MAX + 10) * SECOND;

    private final long[] total; // [facts.expertCount()] rows since this router counts
    private final Map<String, Count> lastCounts = new HashMap<>(); // by worker
    private final Deque<Sum> sums = new ArrayDeque<>(); // oldest first

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Count(long startNumber, long[] rows) {}

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Sum(long nanos, long[] rows) {}

    /// No load yet.
    public LoadWindows(int expertCount) {
        total = new long[expertCount];
    }

    /// Takes what a trunk counted since its start. The first answer of a start only tells where counting begins,
    /// unless this router saw an earlier start: then all its rows are new.
    ///
    /// @param rows `[facts.expertCount()]`.
    public synchronized void count(String workerId, long startNumber, long[] rows) {
        if (rows.length != total.length) {
            throw new IllegalArgumentException(
                    "worker " + workerId + " counts " + rows.length + " experts; the model has " + total.length);
        }
        Count last = lastCounts.put(workerId, new Count(startNumber, rows.clone()));
        if (last == null) {
            return;
        }
        boolean isSameStart = last.startNumber == startNumber;
        for (int cell = 0; cell < total.length; cell++) {
            total[cell] += Math.max(0, rows[cell] - (isSameStart ? last.rows[cell] : 0));
        }
    }

    /// Ends a second: keeps the sum as it is now.
    public synchronized void tick(long now) {
        sums.addLast(new Sum(now, total.clone()));
        while (now - sums.getFirst().nanos > KEPT_NANOS) {
            sums.removeFirst();
        }
        thinOut(now);
    }

    /// The rows of the last seconds.
    public synchronized LoadWindow window(int seconds, long now) {
        Sum from = null;
        for (Sum sum : sums) {
            if (from == null || now - sum.nanos >= seconds * SECOND) {
                from = sum;
            } else {
                break;
            }
        }
        if (from == null) {
            return new LoadWindow(0, new long[total.length]);
        }
        long[] rows = new long[total.length];
        for (int cell = 0; cell < rows.length; cell++) {
            rows[cell] = total[cell] - from.rows[cell];
        }
        return new LoadWindow((now - from.nanos) / (double) SECOND, rows);
    }

    /// Drops what lies closer together than ten seconds and is older than a minute.
    private void thinOut(long now) {
        long kept = Long.MIN_VALUE;
        for (Iterator<Sum> all = sums.iterator(); all.hasNext(); ) {
            Sum sum = all.next();
            if (now - sum.nanos <= FINE_NANOS) {
                return;
            }
            if (kept != Long.MIN_VALUE && sum.nanos - kept < COARSE_NANOS) {
                all.remove();
            } else {
                kept = sum.nanos;
            }
        }
    }
}
