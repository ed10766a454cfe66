package org.bergfried.contract.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class PendingLogTest {
    private static TokenIds range(int from, int to) {
        return TokenIds.of(IntStream.range(from, to).toArray());
    }

    @Test
    void onlyTheStartedSegmentIsWrittenAgain() {
        var log = new PendingLog(0);
        assertTrue(log.append(1, 0, range(0, 300)));
        PendingLog.Flush first = log.takeFlush().orElseThrow();
        assertEquals(0, first.firstSegment());
        assertEquals(List.of(new LogSegment(1, range(0, 256)), new LogSegment(1, range(256, 300))), first.segments());
        log.written(first);
        assertEquals(Optional.empty(), log.takeFlush(), "nothing is new");
        assertTrue(log.append(1, 300, range(300, 310)));
        PendingLog.Flush second = log.takeFlush().orElseThrow();
        assertEquals(1, second.firstSegment());
        assertEquals(List.of(new LogSegment(1, range(256, 310))), second.segments());
        assertEquals(310, second.endPosition());
    }

    @Test
    void whatArrivesDuringAFlushIsKept() {
        var log = new PendingLog(0);
        log.append(1, 0, range(0, 256));
        PendingLog.Flush flush = log.takeFlush().orElseThrow();
        log.append(1, 256, range(256, 260));
        log.written(flush);
        assertEquals(
                List.of(new LogSegment(1, range(256, 260))),
                log.takeFlush().orElseThrow().segments());
    }

    @Test
    void aFailedFlushIsTriedAgain() {
        var log = new PendingLog(0);
        log.append(1, 0, range(0, 3));
        assertTrue(log.takeFlush().isPresent());
        log.failed();
        assertEquals(3, log.takeFlush().orElseThrow().endPosition());
    }

    @Test
    void gapsAndOlderAttemptsAreRefusedAndOverlapsTakenOnce() {
        var log = new PendingLog(0);
        assertTrue(log.append(2, 0, range(0, 4)));
        assertFalse(log.append(2, 5, range(5, 6)), "a gap");
        assertFalse(log.append(1, 4, range(4, 5)), "an older attempt");
        assertTrue(log.append(3, 2, range(2, 6)));
        assertEquals(
                List.of(new LogSegment(3, range(0, 6))),
                log.takeFlush().orElseThrow().segments());
    }

    @Test
    void aLogThatStartsInsideASegmentNeedsItsBeginning() {
        var log = new PendingLog(300);
        log.append(2, 300, range(300, 302));
        assertEquals(Optional.of(1), log.missingSegment());
        assertFalse(log.complete(new LogSegment(1, range(256, 299))), "one id is missing");
        assertTrue(log.complete(new LogSegment(1, range(256, 301))));
        assertEquals(Optional.empty(), log.missingSegment());
        PendingLog.Flush flush = log.takeFlush().orElseThrow();
        assertEquals(List.of(new LogSegment(2, range(256, 302))), flush.segments());
        assertEquals(1, flush.firstSegment());
    }
}
