package org.bergfried.contract.cluster;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.Limits;

/// The generation store over two shared maps: records by generation id; segments of token logs by id and number,
/// with the end of the generation beside them.
final class HazelcastStore implements GenerationStore {
    private static final int PUTS_MAX = 1024; // waiting for an acknowledgement; beyond, answers are not resumable

    private final HazelcastSealedMap generations;
    private final HazelcastSealedMap segments;
    private final HazelcastLogWriter writer;
    private final ExecutorService putting = Executors.newVirtualThreadPerTaskExecutor();
    private final Semaphore puts = new Semaphore(PUTS_MAX);

    HazelcastStore(HazelcastSealedMap generations, HazelcastSealedMap segments) {
        this.generations = generations;
        this.segments = segments;
        this.writer = new HazelcastLogWriter(generations, segments);
    }

    @Override
    public CompletionStage<Void> put(GenerationRecord generation) {
        if (!puts.tryAcquire()) {
            return CompletableFuture.failedStage(new ClusterException(
                    ErrorReason.QUEUE_FULL,
                    PUTS_MAX + " generation records wait for the store; this one is not stored"));
        }
        var stored = new CompletableFuture<Void>();
        try {
            putting.execute(() -> put(generation, stored));
        } catch (RejectedExecutionException closed) {
            puts.release();
            stored.completeExceptionally(new ClusterException(ErrorReason.DRAINING, "the store is closed", closed));
        }
        return stored;
    }

    private void put(GenerationRecord generation, CompletableFuture<Void> stored) {
        String id = generation.generationId();
        try {
            if (generations.putIfAbsent(id, 1, RecordCodec.encode(generation), HazelcastLogWriter.LIFE)) {
                stored.complete(null);
            } else {
                stored.completeExceptionally(
                        new ClusterException(ErrorReason.INTERNAL, "generation " + id + " is stored already"));
            }
        } catch (RuntimeException failed) {
            stored.completeExceptionally(failed);
        } finally {
            puts.release();
        }
    }

    @Override
    public void append(String generationId, int attempt, int fromPosition, TokenIds ids) {
        writer.append(generationId, attempt, fromPosition, ids);
    }

    @Override
    public void finish(String generationId, String reason) {
        writer.finish(generationId, reason);
    }

    @Override
    public Optional<StoredGeneration> read(String generationId) {
        return generations.get(generationId).map(stored -> {
            GenerationRecord generation = RecordCodec.decodeGeneration(stored.plain());
            Optional<String> end = segments.get(HazelcastLogWriter.endKey(generationId))
                    .map(value -> RecordCodec.decodeEnd(value.plain()));
            return readLog(new StoredGeneration(generation, 0, TokenIds.empty(), end));
        });
    }

    private StoredGeneration readLog(StoredGeneration start) {
        StoredGeneration whole = start;
        String id = start.generation().generationId();
        for (int i = 0; i * LogSegment.IDS_MAX < Limits.ANSWER_TOKENS; i++) {
            Optional<LogSegment> segment = segments.get(HazelcastLogWriter.segmentKey(id, i))
                    .map(value -> RecordCodec.decodeSegment(value.plain()));
            if (segment.isEmpty()) {
                return whole;
            }
            int attempt = Math.max(whole.attempt(), segment.get().attempt());
            whole = whole.appended(
                    attempt, i * LogSegment.IDS_MAX, segment.get().ids());
            if (!segment.get().isFull()) {
                return whole;
            }
        }
        return whole;
    }

    /// Writes what is waiting, for a moment, and ends.
    void close() {
        writer.close();
        putting.shutdown();
    }
}
