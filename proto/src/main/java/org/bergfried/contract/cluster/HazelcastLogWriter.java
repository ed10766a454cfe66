package org.bergfried.contract.cluster;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.Limits;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes token logs in the background, one thread for all of them. Callers only add to memory; what arrives
/// while a log waits for its turn is written with it. Too many logs at once, or a store that does not answer, cut
/// logs short and never hold a token back.
final class HazelcastLogWriter implements AutoCloseable {
    static final Duration LIFE = Duration.ofSeconds(Limits.RESUME_AFTER_START_SECONDS);
    static final Duration LIFE_AFTER_END = Duration.ofSeconds(Limits.RESUME_AFTER_END_SECONDS);

    private static final Logger LOG = LoggerFactory.getLogger(HazelcastLogWriter.class);
    private static final int LOGS_MAX = 4096; // each holds at most a segment and what has not been written
    private static final Duration RETRY = Duration.ofMillis(500);
    private static final String STOP = "";

    private final HazelcastSealedMap generations;
    private final HazelcastSealedMap segments;
    private final Map<String, PendingLog> logs = new LinkedHashMap<>(64, 0.75f, true); // eldest first; guarded by this
    private final BlockingQueue<String> queue = new ArrayBlockingQueue<>(2 * LOGS_MAX); // ids of logs, perhaps repeated
    private final Deque<String> unended = new ArrayDeque<>(); // ids whose end is not written; used by the thread only
    private final Thread thread;

    HazelcastLogWriter(HazelcastSealedMap generations, HazelcastSealedMap segments) {
        this.generations = generations;
        this.segments = segments;
        this.thread = Thread.ofVirtual().name("token-log").start(this::run);
    }

    static String segmentKey(String generationId, int segment) {
        return generationId + "/" + segment;
    }

    static String endKey(String generationId) {
        return generationId + "/end";
    }

    void append(String generationId, int attempt, int fromPosition, TokenIds ids) {
        synchronized (this) {
            PendingLog log = logs.get(generationId);
            if (log == null) {
                log = new PendingLog(fromPosition);
                remember(generationId, log);
            }
            if (!log.append(attempt, fromPosition, ids)) {
                return;
            }
        }
        enqueue(generationId);
    }

    void finish(String generationId, String reason) {
        synchronized (this) {
            PendingLog log = logs.get(generationId);
            if (log == null) {
                log = new PendingLog(0);
                remember(generationId, log);
            }
            log.finish(reason);
        }
        enqueue(generationId);
    }

    /// Writes what is waiting, for at most two seconds, and ends.
    @Override
    public void close() {
        enqueue(STOP);
        try {
            if (!thread.join(Duration.ofSeconds(2))) {
                thread.interrupt();
            }
        } catch (InterruptedException impatient) {
            thread.interrupt();
            Thread.currentThread().interrupt();
        }
    }

    private void remember(String generationId, PendingLog log) {
        if (logs.size() >= LOGS_MAX) {
            String eldest = logs.keySet().iterator().next();
            logs.remove(eldest);
        }
        logs.put(generationId, log);
    }

    private void enqueue(String generationId) {
        if (!queue.contains(generationId) && !queue.offer(generationId)) {
            LOG.debug("The token log of {} waits for its next piece: the queue is full", generationId);
        }
    }

    private void run() {
        try {
            String next = queue.take();
            while (!STOP.equals(next)) {
                if (next != null) {
                    flushGuarded(next);
                } else if (!unended.isEmpty()) {
                    flushGuarded(unended.removeFirst());
                }
                next = unended.isEmpty() ? queue.take() : queue.poll(RETRY.toMillis(), TimeUnit.MILLISECONDS);
            }
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
    }

    /// A log that fails must not stop the others.
    private void flushGuarded(String generationId) {
        try {
            flush(generationId);
        } catch (RuntimeException failed) {
            LOG.error("The token log of {} is given up", generationId, failed);
            forget(generationId);
        }
    }

    private void flush(String generationId) {
        PendingLog log;
        synchronized (this) {
            log = logs.get(generationId);
        }
        if (log == null) {
            return;
        }
        try {
            if (!complete(generationId, log)) {
                LOG.info("The token log of {} ends early: a piece before this router's is missing", generationId);
                forget(generationId);
                return;
            }
            Optional<PendingLog.Flush> flush;
            synchronized (this) {
                flush = log.takeFlush();
            }
            if (flush.isPresent()) {
                write(generationId, log, flush.get());
            }
        } catch (ClusterException unreachable) {
            LOG.warn("The token log of {} lags: {}", generationId, unreachable.text());
            synchronized (this) {
                log.failed();
                retryEnd(generationId, log);
            }
        }
    }

    private boolean complete(String generationId, PendingLog log) {
        Optional<Integer> missing;
        synchronized (this) {
            missing = log.missingSegment();
        }
        if (missing.isEmpty()) {
            return true;
        }
        Optional<LogSegment> stored = segments.get(segmentKey(generationId, missing.get()))
                .map(value -> RecordCodec.decodeSegment(value.plain()));
        synchronized (this) {
            return stored.isPresent() && log.complete(stored.get());
        }
    }

    private void write(String generationId, PendingLog log, PendingLog.Flush flush) {
        Duration life = flush.finishReason().isPresent() ? LIFE_AFTER_END : LIFE;
        for (int i = 0; i < flush.segments().size(); i++) {
            LogSegment segment = flush.segments().get(i);
            String key = segmentKey(generationId, flush.firstSegment() + i);
            segments.set(key, segment.ids().size(), RecordCodec.encode(segment), life);
        }
        if (flush.finishReason().isPresent()) {
            for (int segment = 0; segment < flush.firstSegment(); segment++) {
                segments.setLife(segmentKey(generationId, segment), life);
            }
            segments.set(
                    endKey(generationId),
                    1,
                    RecordCodec.encodeEnd(flush.finishReason().get()),
                    life);
            generations.setLife(generationId, life);
            forget(generationId);
            return;
        }
        synchronized (this) {
            log.written(flush);
        }
    }

    /// Nothing more comes of a generation that has ended, so its last flush is tried again until it is written: else
    /// record and log would keep their long life.
    private void retryEnd(String generationId, PendingLog log) {
        if (log.isFinished() && !unended.contains(generationId)) {
            unended.add(generationId);
        }
    }

    private synchronized void forget(String generationId) {
        logs.remove(generationId);
    }
}
